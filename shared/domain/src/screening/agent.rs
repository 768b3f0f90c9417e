//! What wrote a request, as it names itself. Only of pages: a server is a program, and may say so.

use super::{Reason, message};

/// Crawlers, scanners and browsers without a window, in lower case.
const BOTS: [&str; 26] = [
    "crawl",
    "spider",
    "slurp",
    "headless",
    "phantomjs",
    "selenium",
    "webdriver",
    "puppeteer",
    "playwright",
    "cypress",
    "scrapy",
    "nikto",
    "sqlmap",
    "nmap",
    "masscan",
    "zgrab",
    "nuclei",
    "wpscan",
    "acunetix",
    "netsparker",
    "burp",
    "facebookexternalhit",
    "mediapartners",
    "semrush",
    "xrumer",
    "httrack",
];
/// Libraries and tools as they run in data centres, in lower case.
const PROGRAMS: [&str; 24] = [
    "curl/",
    "wget/",
    "python-requests",
    "python-urllib",
    "python-httpx",
    "aiohttp",
    "httpx/",
    "go-http-client",
    "java/",
    "libwww-perl",
    "lwp::",
    "ruby",
    "okhttp/",
    "axios/",
    "node-fetch",
    "undici",
    "got (",
    "guzzlehttp",
    "php/",
    "apache-httpclient",
    "postmanruntime",
    "insomnia/",
    "winhttp",
    "amazon cloudfront",
];

/// What opens the links of mails before their readers do, in lower case. The image proxies of mail providers are not
/// among them: those ask when somebody reads.
const SCANNERS: [&str; 12] = [
    "barracuda",
    "proofpoint",
    "urldefense",
    "mimecast",
    "safelinks",
    "messagelabs",
    "symantec",
    "trendmicro",
    "trend micro",
    "fortiguard",
    "zscaler",
    "cloudmark",
];

/// Whether this is a machine that says so: a scanner of mails, a crawler, a program. Nothing is not: a sender may not
/// know.
pub fn names_a_machine(user_agent: &str) -> bool {
    let agent = user_agent.trim().to_ascii_lowercase();
    let among = |names: &[&str]| names.iter().any(|name| agent.contains(name));
    among(&SCANNERS) || among(&BOTS) || among(&PROGRAMS) || names_a_bot(&agent)
}

pub(super) fn signs(user_agent: Option<&str>, signs: &mut Vec<Reason>) {
    let agent = user_agent.unwrap_or_default().trim().to_ascii_lowercase();
    let sign = if message::attacks(&agent) {
        Reason::Attack
    } else if agent.is_empty() {
        Reason::NoAgent
    } else if BOTS.iter().any(|bot| agent.contains(bot)) || names_a_bot(&agent) {
        Reason::BotAgent
    } else if PROGRAMS.iter().any(|program| agent.contains(program)) {
        Reason::ProgramAgent
    } else {
        return;
    };
    signs.push(sign);
}

/// `Googlebot/2.1`, `bot@…`, `AhrefsBot;`: a word that ends in `bot`, but for a make of phone.
fn names_a_bot(agent: &str) -> bool {
    agent
        .split(|c: char| !c.is_ascii_alphanumeric())
        .any(|word| word.ends_with("bot") && word != "cubot" || word == "bots")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sign(agent: &str) -> Option<Reason> {
        let mut found = Vec::new();
        signs(Some(agent), &mut found);
        found.pop()
    }

    #[test]
    fn a_scanner_of_mails_is_a_machine_and_a_readers_image_proxy_is_not() {
        for agent in ["BarracudaCentral", "Mozilla/5.0 (compatible; Googlebot/2.1)", "python-requests/2.31.0"]
        {
            assert!(names_a_machine(agent), "{agent}");
        }
        let proxy =
            "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)";
        assert!(!names_a_machine(proxy) && !names_a_machine(""));
    }

    #[test]
    fn browsers_are_no_bots() {
        for agent in [
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0",
            "Mozilla/5.0 (Linux; Android 13; CUBOT X70) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Mobile Safari/537.36",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 [FBAN/FBIOS;FBAV/440.0]",
        ] {
            assert_eq!(sign(agent), None, "{agent}");
        }
    }

    #[test]
    fn crawlers_and_programs_name_themselves() {
        for agent in [
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/120.0.0.0 Safari/537.36",
            "AhrefsBot/7.0",
            "Mozilla/5.0 zgrab/0.x",
        ] {
            assert_eq!(sign(agent), Some(Reason::BotAgent), "{agent}");
        }
        for agent in ["curl/8.5.0", "python-requests/2.31.0", "Go-http-client/1.1", "okhttp/4.12.0"] {
            assert_eq!(sign(agent), Some(Reason::ProgramAgent), "{agent}");
        }
        assert_eq!(sign("  "), Some(Reason::NoAgent));
    }
}
