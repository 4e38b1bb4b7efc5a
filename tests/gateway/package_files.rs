//! Manual pages and shell completions, as packages hold them.

use std::{fs, path::Path, process::Command};

use system_tests::binaries;

#[test]
fn each_service_writes_its_manual_and_completions() {
    for (service, name, of_its_own) in [
        ("wechat-gateway", "wechat-gateway", "doctor"),
        ("site", "wechat-login-site", "client"),
    ] {
        // They are no logs: words of their own would be taken for scenes.
        let share = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("package-of-{service}"));
        let _ = fs::remove_dir_all(&share);
        fs::create_dir_all(&share).expect("there is room");
        let run = |arguments: &[&str]| {
            let output = Command::new(binaries::path(service))
                .env_clear()
                .args(arguments)
                .output()
                .expect("the service runs");
            assert!(output.status.success(), "{output:?}");
            String::from_utf8(output.stdout).expect("it prints text")
        };
        let folder = share.to_str().expect("its path is text");
        run(&["package-files", folder, "--name", name]);
        let read = |path: &str| {
            let path = share.join(path);
            fs::read_to_string(&path).unwrap_or_else(|_| panic!("no {}", path.display()))
        };
        let manual = read(&format!("man/man1/{name}.1"));
        assert!(manual.contains(&format!(".TH {name} 1")), "{manual}");
        let page = read(&format!("man/man1/{name}-{of_its_own}.1"));
        assert!(page.contains(".SH NAME"), "{page}");
        for completions in [
            format!("bash-completion/completions/{name}"),
            format!("zsh/vendor-completions/_{name}"),
            format!("fish/vendor_completions.d/{name}.fish"),
        ] {
            let text = read(&completions);
            assert!(text.contains(name) && text.contains(of_its_own), "{text}");
        }
        // Only who builds a package needs it.
        assert!(!run(&["--help"]).contains("package-files"));
    }
}
