SELECT part, btrim(regexp_replace(definition, '\s+', ' ', 'g')) FROM (
    SELECT 'table ' || c.relname AS part,
        (SELECT string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
                || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END, ', ' ORDER BY a.attnum)
            FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
        || CASE WHEN c.relrowsecurity AND c.relforcerowsecurity THEN '; walled' ELSE '' END AS definition
        FROM pg_class c WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace
    UNION ALL
    SELECT 'constraint ' || n.conname, pg_get_constraintdef(n.oid, true)
        FROM pg_constraint n WHERE n.connamespace = current_schema()::regnamespace AND n.contype <> 'n'
            AND n.conrelid <> 0
    UNION ALL
    SELECT 'index ' || i.relname, pg_get_indexdef(i.oid, 0, true)
        FROM pg_class i JOIN pg_index x ON x.indexrelid = i.oid
        WHERE i.relnamespace = current_schema()::regnamespace AND x.indisvalid
    UNION ALL
    SELECT 'trigger ' || t.tgname, pg_get_triggerdef(t.oid, true) || '; ' || t.tgenabled::text
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace
    UNION ALL
    SELECT 'policy ' || tablename || '.' || policyname,
        permissive || ' ' || cmd || ' ' || roles::text || ' USING ' || coalesce(qual, '') || ' CHECK ' || coalesce(with_check, '')
        FROM pg_policies WHERE schemaname = current_schema()
    UNION ALL
    SELECT 'function ' || p.proname, p.prosrc FROM pg_proc p WHERE p.oid IN (
        SELECT t.tgfoid FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace)
) AS built (part, definition)
