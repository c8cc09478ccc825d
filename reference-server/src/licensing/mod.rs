//! Usage licences: blocks of reads, writes and the like that are used up one after the other.

mod block;
mod key;

pub use block::{Block, Fault};
pub use key::PublicKey;

use crate::access::system_tables::{all, find, get, put, system_database};
use crate::analytics::meters::Reading;
use crate::error::OperationError;
use crate::store::{Store, StoreError, WriteTxn};
use crate::value::{Object, Value};
use uuid::Uuid;

/// The table of the blocks.
pub const LICENCES: &str = "hdb_license";
/// The table with what is known of the instance.
const INFORMATION: &str = "hdb_info";

/// What a table's key is called, which is not the block's own name.
const KEY: &str = "license_key";
const CREATED: &str = "__createdtime__";

/// What is counted against a block: its member with the limit, and the one with what was used.
const COUNTED: [(&str, &str); 8] = [
    ("reads", "usedReads"),
    ("readBytes", "usedReadBytes"),
    ("writes", "usedWrites"),
    ("writeBytes", "usedWriteBytes"),
    ("realTimeMessages", "usedRealTimeMessages"),
    ("realTimeBytes", "usedRealTimeBytes"),
    ("cpuTime", "usedCpuTime"),
    ("storage", "usedStorage"),
];

/// What was used, in the order of the limits.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Consumption([f64; COUNTED.len()]);

impl Consumption {
    /// What requests and milliseconds of the processors amount to. The processors' time is counted in seconds.
    pub fn of(readings: &[Reading], processor: f64) -> Consumption {
        let mut used = Consumption::default();
        for reading in readings.iter().filter(|reading| reading.is_of_records()) {
            let count = reading.taken.count() as f64;
            let (first, bytes) = match reading.operation.mutates {
                false => (0, reading.sent.sum()),
                true => (2, reading.received),
            };
            used.0[first] += count;
            used.0[first + 1] += bytes as f64;
        }
        used.0[6] = processor / 1000.0;
        used
    }
}

/// Counts what was used against the blocks: the earliest first, and what no block is left for against the last.
///
/// # Errors
/// When the blocks cannot be written.
pub async fn consume(store: &Store, used: Consumption) -> Result<(), OperationError> {
    let system = system_database(store)?;
    let installed = {
        let reader = system.read()?;
        let table = find(reader.catalog().table(LICENCES), LICENCES)?;
        reader.count(&table)?
    };
    if installed == 0 || used == Consumption::default() {
        return Ok(());
    }
    let written = system.write(move |txn: &mut WriteTxn<'_>| -> Result<(), StoreError> {
        let mut blocks = in_order(all(txn.view()?, LICENCES)?);
        let now = chrono::Utc::now().timestamp_millis() as f64;
        spend(&mut blocks, used, now);
        for block in blocks {
            put(txn, LICENCES, block)?;
        }
        Ok(())
    });
    Ok(written.await?)
}

fn spend(blocks: &mut [Object], used: Consumption, now: f64) {
    let good: Vec<usize> = (0..blocks.len()).filter(|at| !block::is_expired(&blocks[*at], now)).collect();
    for ((limit, counter), mut rest) in COUNTED.into_iter().zip(used.0) {
        for (position, at) in good.iter().enumerate() {
            let Some(block) = blocks.get_mut(*at) else { continue };
            let number = |name: &str| block.get(name).and_then(Value::as_number);
            let (limit, spent) = (number(limit).unwrap_or(0.0), number(counter).unwrap_or(0.0));
            let is_last = position + 1 == good.len();
            let share = if is_last { rest } else { rest.min((limit - spent).max(0.0)) };
            block.insert(counter.to_owned(), Value::Number(spent + share));
            rest -= share;
        }
    }
}

fn in_order(mut blocks: Vec<Object>) -> Vec<Object> {
    let key = |block: &Object| block.get(CREATED).and_then(Value::as_number).unwrap_or(0.0);
    blocks.sort_by(|a, b| key(a).total_cmp(&key(b)));
    blocks
}

/// Installs a block, with nothing used of it yet. `company` is noted with it.
///
/// # Errors
/// `License '<id>' is installed already`, or when it cannot be written.
pub async fn install(store: &Store, block: Block, company: Option<String>) -> Result<(), OperationError> {
    let id = block.id().to_owned();
    let mut record = block.into_members();
    for (_, counter) in COUNTED {
        record.insert(counter.to_owned(), Value::Number(0.0));
    }
    record.extend(company.map(|company| ("company".to_owned(), Value::from(company))));
    record.insert(KEY.to_owned(), Value::from(id.as_str()));
    let system = system_database(store)?;
    let written = system.write(move |txn: &mut WriteTxn<'_>| -> Result<(), OperationError> {
        if get(txn.view()?, LICENCES, &Value::from(id.as_str()))?.is_some()
            && !fault!("licences-installed-twice")
        {
            return Err(OperationError::invalid(format!("License '{id}' is installed already")));
        }
        Ok(put(txn, LICENCES, record.clone()).map(drop)?)
    });
    written.await
}

/// The installed blocks in the order in which they are used up, or those of a region.
///
/// # Errors
/// When they cannot be read.
pub fn installed(store: &Store, region: Option<&str>) -> Result<Vec<Object>, OperationError> {
    let system = system_database(store)?;
    let reader = system.read()?;
    let mut blocks = in_order(all(reader.view(), LICENCES)?);
    blocks.retain(|block| {
        region.is_none_or(|region| block.get("region").and_then(Value::as_str) == Some(region))
    });
    for block in &mut blocks {
        block.shift_remove(KEY);
        if fault!("licences-without-use") {
            block.retain(|name, _| !name.starts_with("used"));
        }
    }
    Ok(blocks)
}

/// When the last good block ends, in epoch milliseconds; `None` when there is none.
///
/// # Errors
/// When the blocks cannot be read.
pub fn licensed_until(store: &Store) -> Result<Option<f64>, OperationError> {
    let now = chrono::Utc::now().timestamp_millis() as f64;
    let blocks = installed(store, None)?;
    let ends = blocks.iter().filter_map(block::expiration).filter(|end| *end > now);
    Ok(ends.reduce(f64::max))
}

/// What tells this instance from others; made when it is first asked for.
///
/// # Errors
/// When it cannot be read or written.
pub async fn fingerprint(store: &Store) -> Result<String, OperationError> {
    let key = Value::from("fingerprint");
    let system = system_database(store)?;
    let written = system.write(move |txn: &mut WriteTxn<'_>| -> Result<String, OperationError> {
        let known = get(txn.view()?, INFORMATION, &key)?;
        if let Some(known) = known.as_ref().and_then(|record| record.get("fingerprint")?.as_str()) {
            return Ok(known.to_owned());
        }
        let made = Uuid::new_v4().simple().to_string();
        let record = Object::from_iter([
            ("info_id".to_owned(), key.clone()),
            ("fingerprint".to_owned(), Value::from(made.as_str())),
        ]);
        put(txn, INFORMATION, record)?;
        Ok(made)
    });
    written.await
}

#[cfg(test)]
mod tests;
