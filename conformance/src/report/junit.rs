//! The run in JUnit's form, which build servers read.

use super::{Summary, terminal};
use crate::event::{Checked, Event};
use crate::verdict::Verdict;
use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};
use std::collections::BTreeMap;
use std::time::Duration;

/// The report: a suite per category, a case per check.
///
/// # Errors
/// When the XML cannot be written.
pub fn document(events: &[Event]) -> Result<String, quick_junit::SerializeError> {
    let summary = Summary::new(events);
    let name = summary.started.map_or("operations-api", |started| started.target.as_str());
    let mut report = Report::new(name);
    let mut suites: BTreeMap<&str, Vec<TestCase>> = BTreeMap::new();
    for check in &summary.checks {
        let category = check.id.split('/').next().unwrap_or_default();
        suites.entry(category).or_default().push(case(&summary, check));
    }
    for (category, cases) in suites {
        let mut suite = TestSuite::new(category);
        suite.add_test_cases(cases);
        report.add_test_suite(suite);
    }
    report.to_string()
}

fn case(summary: &Summary<'_>, check: &Checked) -> TestCase {
    let reason = check.reason.clone();
    let status = match check.verdict {
        Verdict::Pass | Verdict::Warn => TestCaseStatus::success(),
        Verdict::Unsupported | Verdict::Known | Verdict::NotRun => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(reason.unwrap_or_default());
            status
        }
        Verdict::Fail | Verdict::Flaky | Verdict::Unclean => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_type(check.verdict.word());
            let first = check.differences.first().map(terminal::difference_line);
            status.set_message(first.or(reason).unwrap_or_default());
            status.set_description(terminal::evidence(summary, check));
            status
        }
        Verdict::Blocked | Verdict::HarnessError => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_type(check.verdict.word());
            status.set_message(reason.unwrap_or_default());
            status
        }
    };
    let mut case = TestCase::new(check.id.as_str(), status);
    case.set_classname(check.id.split('#').next().unwrap_or_default().replace('/', "."));
    case.set_time(Duration::from_secs_f64(check.millis / 1000.0));
    for id in &check.requirements {
        case.add_property(Property::new("requirement", id.as_str()));
    }
    if check.verdict == Verdict::Warn {
        case.set_system_out(terminal::evidence(summary, check));
    }
    case
}
