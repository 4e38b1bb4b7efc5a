//! The documented tables of settings are what the services say of themselves.

use std::{fs, path::Path, process::Command};

use system_tests::binaries;

const PAGES: [(&str, &str); 2] = [
    ("docs/settings.md", "en"),
    ("docs/settings.zh-CN.md", "zh-CN"),
];
const SERVICES: [&str; 2] = ["wechat-gateway", "site"];

#[test]
fn the_documented_tables_are_the_services_own() {
    for (page, language) in PAGES {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(page);
        let text = fs::read_to_string(path).expect("the page is there");
        for service in SERVICES {
            let printed = Command::new(binaries::path(service))
                .args(["settings", "--language", language])
                .output()
                .expect("the service runs");
            assert!(printed.status.success(), "{printed:?}");
            let printed = String::from_utf8(printed.stdout).expect("it prints text");
            let (begin, end) = (
                format!("<!-- {service} settings -->\n\n"),
                format!("\n<!-- end of {service} settings -->"),
            );
            let (_, rest) = text.split_once(&begin).expect("the table begins");
            let (table, _) = rest.split_once(&end).expect("the table ends");
            assert!(
                table == printed,
                "{page} differs: put the output of `{service} settings --language {language}` there"
            );
        }
    }
}
