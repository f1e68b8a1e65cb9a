//! Scripts and styles of others come from npm by lock file at build time; none is committed, none is fetched by a
//! browser from elsewhere.

use super::Findings;
use crate::tree::Tree;
use anyhow::Result;

/// Ours are TypeScript, `.mjs` and plain CSS; these are built or taken from others.
const BUILT: &[&str] = &[".js", ".cjs", ".min.css", ".map", ".wasm", ".woff", ".woff2", ".ttf", ".otf"];
const FOLDERS: &[&str] = &["node_modules/", "dist/", "vendor/"];
/// A name of XML, not an address.
const NAMESPACE: &str = "http://www.w3.org/";

pub(super) fn check(tree: &Tree) -> Result<Findings> {
    let mut findings = Findings::new();
    for file in &tree.files {
        let built = BUILT.iter().any(|end| file.path.ends_with(end));
        if built || FOLDERS.iter().any(|folder| format!("/{}", file.path).contains(&format!("/{folder}"))) {
            findings.push(format!("{}: built files and those of others are not committed", file.path));
        }
    }
    let sources = tree.texts("ui/src/", &[".ts"]).chain(tree.texts("ui/styles/", &[".css"]));
    for (file, text) in sources {
        for (number, line) in text.lines().enumerate() {
            let code = line.trim_start();
            let comment = code.starts_with("//") || code.starts_with('*') || code.starts_with("/*");
            if !comment && code.replace(NAMESPACE, "").contains("://") {
                findings.push(format!("{}:{}: an address outside this origin", file.path, number + 1));
            }
        }
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn committed_builds_and_foreign_addresses_are_found() {
        let tree = Tree::of(&[
            ("ui/vendor/htmx.ts", ""),
            ("crates/server/static/htmx.min.js", ""),
            ("ui/src/a.ts", "fetch(\"https://example.org\");"),
            ("ui/styles/a.css", "@import url(http://example.org/a.css);"),
        ]);
        assert_eq!(check(&tree).expect("runs").len(), 4);
    }

    #[test]
    fn our_own_files_pass() {
        let code =
            "// see https://example.org\nconst svg = \"http://www.w3.org/2000/svg\";\nfetch(\"/live\");";
        let tree = Tree::of(&[
            ("ui/src/a.ts", code),
            ("ui/build.mjs", ""),
            ("ui/styles/a.css", ""),
            ("distance/a.md", ""),
        ]);
        assert_eq!(check(&tree).expect("runs"), Findings::new());
    }
}
