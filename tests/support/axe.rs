//! What axe-core finds wrong in a page.

use std::{fs, path::Path};

use crate::browser::Browser;

const AXE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../services/site/modal/node_modules/axe-core/axe.min.js"
);

const COMPLAINTS: &str =
    "const { violations } = await axe.run(document, { resultTypes: ['violations'] });
    return violations.flatMap(({ id, nodes }) => nodes.map(
        (node) => `${id}: ${node.target.flat().join(' ')}: ${node.failureSummary}`));";

impl Browser {
    /// What axe-core finds wrong in the page that is shown, a text each.
    pub async fn axe(&self) -> Vec<String> {
        let axe = fs::read_to_string(Path::new(AXE));
        let axe = axe.expect("`npm ci` was run in services/site/modal");
        self.run(&axe).await;
        let found = self.run(COMPLAINTS).await;
        serde_json::from_value(found).expect("a list of texts")
    }
}
