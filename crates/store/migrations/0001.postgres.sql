CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% are never changed or deleted', TG_TABLE_NAME; END $$;
CREATE TRIGGER events_never_change BEFORE UPDATE OR DELETE ON events FOR EACH ROW EXECUTE FUNCTION never();
CREATE TRIGGER events_never_emptied BEFORE TRUNCATE ON events FOR EACH STATEMENT EXECUTE FUNCTION never();
CREATE TRIGGER commands_never_change BEFORE UPDATE OR DELETE ON commands FOR EACH ROW EXECUTE FUNCTION never();
CREATE TRIGGER commands_never_emptied BEFORE TRUNCATE ON commands FOR EACH STATEMENT EXECUTE FUNCTION never();
CREATE TRIGGER frames_never_change BEFORE UPDATE ON frames FOR EACH ROW EXECUTE FUNCTION never();

-- The second wall: a query that forgot its site finds nothing. `head` stays open, it holds names and positions only.
DO $$
DECLARE walled TEXT;
BEGIN
    FOREACH walled IN ARRAY ARRAY['events', 'commands', 'frames', 'samples', 'secrets', 'cursors', 'view_item'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', walled);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', walled);
        EXECUTE format('CREATE POLICY one_site ON %I USING (site = current_setting(''chairside.site'', true))', walled);
    END LOOP;
END $$;
