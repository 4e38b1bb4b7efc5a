//! The READMEs' tables of settings are what the services say of themselves.

use std::{fs, path::Path, process::Command};

use system_tests::binaries;

const READMES: [(&str, &str); 2] = [("README.md", "en"), ("README.zh-CN.md", "zh-CN")];
const SERVICES: [&str; 2] = ["wechat-gateway", "site"];

#[test]
fn the_readmes_tables_are_the_services_own() {
    for (readme, language) in READMES {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("..")
            .join(readme);
        let text = fs::read_to_string(path).expect("the README is there");
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
                "{readme} differs: put the output of `{service} settings --language {language}` there"
            );
        }
    }
}
