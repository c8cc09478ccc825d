//! What this process uses, as the system counts it.

use std::fs;

/// What the process has used since it began.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// Milliseconds of the processors in the program.
    pub user: f64,
    /// Milliseconds of the processors in the system on its behalf.
    pub system: f64,
    /// Page faults that needed no disk.
    pub minor_faults: f64,
    /// Page faults that did.
    pub major_faults: f64,
    /// Blocks of 512 bytes read from disk.
    pub read: f64,
    /// Blocks of 512 bytes written to disk.
    pub written: f64,
    /// How often a thread gave its processor away.
    pub voluntary_switches: f64,
    /// How often it was taken away.
    pub involuntary_switches: f64,
}

/// Where the process's memory goes, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Memory {
    /// All that is in memory.
    pub resident: f64,
    /// Of that, what the program itself has taken.
    pub heap: f64,
    /// What it may take without asking again.
    pub heap_total: f64,
    /// Of what is in memory, the files mapped into it.
    pub files: f64,
}

/// Milliseconds of a tick of the counters below; Linux has had no other for decades.
const TICK: f64 = 10.0;
const BLOCK: f64 = 512.0;

impl Usage {
    /// What was used until now. Where the system does not tell, zeros.
    pub fn now() -> Usage {
        let mut usage = Usage::default();
        if let Ok(stat) = fs::read_to_string("/proc/self/stat") {
            // The name of the program stands in parentheses and may hold anything.
            let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
            let field = |number: usize| fields.get(number).and_then(|text| text.parse().ok()).unwrap_or(0.0);
            usage.minor_faults = field(7);
            usage.major_faults = field(9);
            usage.user = field(11) * TICK;
            usage.system = field(12) * TICK;
        }
        if let Ok(io) = fs::read_to_string("/proc/self/io") {
            usage.read = number_after(&io, "read_bytes:") / BLOCK;
            usage.written = number_after(&io, "write_bytes:") / BLOCK;
        }
        for thread in fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
            let Ok(status) = fs::read_to_string(thread.path().join("status")) else { continue };
            usage.voluntary_switches += number_after(&status, "\nvoluntary_ctxt_switches:");
            usage.involuntary_switches += number_after(&status, "\nnonvoluntary_ctxt_switches:");
        }
        usage
    }

    /// What was used since an earlier moment.
    pub fn since(self, earlier: Usage) -> Usage {
        // Threads that ended take their counts with them.
        let less = |now: f64, then: f64| (now - then).max(0.0);
        Usage {
            user: less(self.user, earlier.user),
            system: less(self.system, earlier.system),
            minor_faults: less(self.minor_faults, earlier.minor_faults),
            major_faults: less(self.major_faults, earlier.major_faults),
            read: less(self.read, earlier.read),
            written: less(self.written, earlier.written),
            voluntary_switches: less(self.voluntary_switches, earlier.voluntary_switches),
            involuntary_switches: less(self.involuntary_switches, earlier.involuntary_switches),
        }
    }

    /// Milliseconds of the processors.
    pub fn processor(&self) -> f64 {
        self.user + self.system
    }
}

impl Memory {
    /// As it is now. Where the system does not tell, zeros.
    pub fn now() -> Memory {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let bytes = |name: &str| number_after(&status, name) * 1024.0;
        Memory {
            resident: bytes("\nVmRSS:"),
            heap: bytes("\nRssAnon:"),
            heap_total: bytes("\nVmData:"),
            files: bytes("\nRssFile:"),
        }
    }
}

/// The number behind a name in one of the system's tables; 0 when there is none.
pub(super) fn number_after(text: &str, name: &str) -> f64 {
    let rest = text.split_once(name).map(|(_, rest)| rest.trim_start()).unwrap_or_default();
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..end].parse().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_behind_names() {
        let text = "Name:\tx\nVmRSS:\t  12 kB\nother: 5\n";
        assert_eq!((number_after(text, "\nVmRSS:"), number_after(text, "none:")), (12.0, 0.0));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn use_grows() {
        let before = Usage::now();
        let mut numbers: Vec<u64> = (0..4_000_000).rev().collect();
        while Usage::now().since(before).processor() == 0.0 {
            numbers.sort_unstable();
            numbers.reverse();
        }
        assert!(before.minor_faults > 0.0 && Memory::now().resident > 1e6);
        assert_eq!(before.since(Usage::now()).processor(), 0.0, "never less than nothing");
    }
}
