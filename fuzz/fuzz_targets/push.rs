#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    hostile_input::push::check(bytes);
    hostile_input::gateway_push::check(bytes);
});
