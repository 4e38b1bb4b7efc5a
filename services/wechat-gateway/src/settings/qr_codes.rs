//! How many QR codes are created.

use service_kit::{
    settings::{Default, Key, Reader, Section},
    settings_parse as parse,
};

/// How many codes the gateways create in a day.
static PER_DAY: Key<u32> = Key {
    name: "limits.qr_codes_per_day",
    default: Default::Text("90000"),
    example: "9000",
    meaning: "QR codes that all gateways together create in a day (China's); 0: no limit. WeChat \
              allows a new account 100,000 and a test account 10,000; the rest is for whoever \
              else creates codes.",
    meaning_zh: "所有网关合计每天（中国时间）最多创建多少个二维码；0 为不限。微信给新账号每天 10 万个\
                 ，测试号 1 万个，剩下的留给其他创建二维码的程序。",
    secret: false,
    parse: parse::integer_from::<0>,
};

/// The limits of an account's QR codes.
#[derive(Debug, Clone, Copy)]
pub struct QrCodeSettings {
    /// How many all gateways together create in a day of China's; 0: no limit.
    pub per_day: u32,
}

impl Section for QrCodeSettings {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            per_day: reader.value(&PER_DAY)?,
        })
    }
}
