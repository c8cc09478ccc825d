//! `--baseline` and `compare`.

use anyhow::{Context as _, bail};
use conformance::baseline::Baseline;
use conformance::compare::{Side, compare as compared};
use std::path::Path;
use std::sync::Arc;

/// The list to use: one that comes with the program, or a file.
pub(super) fn read(choice: Option<&str>) -> anyhow::Result<Arc<Baseline>> {
    let Some(choice) = choice else { return Ok(Arc::default()) };
    let baseline = match Baseline::by_name(choice) {
        Some(shipped) => shipped,
        None if Path::new(choice).exists() => {
            let text = std::fs::read_to_string(choice).with_context(|| format!("cannot read {choice}"))?;
            Baseline::parse(&text)
        }
        None => {
            let known: Vec<&str> = Baseline::shipped().collect();
            bail!("there is no file and no baseline '{choice}'; the program comes with {}", known.join(", "));
        }
    };
    Ok(Arc::new(baseline.with_context(|| format!("the baseline '{choice}' cannot be used"))?))
}

/// Prints what changed from one report to another.
pub(super) fn compare(before: &Path, after: &Path) -> anyhow::Result<u8> {
    let side = |file: &Path| -> anyhow::Result<Side> {
        let text =
            std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        Side::read(&text).with_context(|| format!("{} is no report", file.display()))
    };
    let (before, after) = (side(before)?, side(after)?);
    let comparison = compared(&before, &after);
    print!("{}", comparison.to_text(&before, &after));
    Ok(comparison.exit_status())
}
