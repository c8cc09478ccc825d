//! Loads: records from text, from a file, or from a file fetched before, into a table.

use super::blocking::{Stopped, blocking};
use super::check::{Check, Rules};
use super::{Sink, csv, json};
use crate::access::{Caller, Right};
use crate::error::{ErrorKind, OperationError};
use crate::jobs::Done;
use crate::operations::names::{no_database, no_table};
use crate::operations::nosql::{Write, WriteRequest, write_under};
use crate::server::Server;
use crate::store::Table;
use crate::value::Object;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::mpsc::{Sender, channel};

/// A batch is complete with this much text …
const BATCH_TEXT: usize = 1 << 20;
/// … or this many records.
const BATCH_RECORDS: usize = 5000;
/// Text that came in a request is written at once up to this size, as the records of one request are.
const REQUEST_TEXT: usize = 8 << 20;
/// How many complete batches may wait to be written.
const WAITING: usize = 1;

/// Where records come from.
pub enum Source {
    /// CSV text of a request.
    Text(Arc<str>),
    /// A CSV file.
    Csv(PathBuf),
    /// A JSON file.
    Json(PathBuf),
}

/// A load about to be done.
pub struct Load {
    /// The running instance.
    pub server: Arc<Server>,
    /// Who loads.
    pub caller: Caller,
    /// The name under which the history has it.
    pub username: String,
    /// The database's name.
    pub database: String,
    /// The table's name.
    pub table: String,
    /// How the records are written.
    pub write: Write,
    /// The rights needed for it.
    pub rights: Vec<Right>,
    /// Where the records come from.
    pub source: Source,
}

impl Load {
    /// Checks all records, then writes them.
    ///
    /// # Errors
    /// What is wrong with a record, a column or the source; then nothing is written, unless it shows only while
    /// writing, when the batches before it stay.
    pub async fn run(self) -> Result<Done, OperationError> {
        let load = Arc::new(self);
        let checking = load.clone();
        let (total, columns) = blocking(move |stopped| checking.check(stopped)).await?;
        if total == 0 {
            return Ok(Done::with_message(match &load.source {
                Source::Text(_) if !fault!("load-of-nothing-text") => "No records parsed from csv file.",
                _ => "successfully loaded 0 of 0 records",
            }));
        }
        let written = load.write_all(columns).await?;
        let written = if fault!("load-counts-rows") { total } else { written };
        Ok(Done::with_message(format!("successfully loaded {written} of {total} records")))
    }

    /// The table as it is now.
    fn table(&self) -> Result<Arc<Table>, OperationError> {
        let database = self.server.store.database(&self.database);
        let database = database.ok_or_else(|| no_database(ErrorKind::Invalid, &self.database))?;
        let table = database.catalog().table(&self.table).cloned();
        table.ok_or_else(|| no_table(ErrorKind::Invalid, &self.database, &self.table))
    }

    fn check(&self, stopped: Stopped) -> Result<(u64, Vec<String>), OperationError> {
        let table = self.table()?;
        let of_request = matches!(self.source, Source::Text(_));
        let mut check = Check::new(Rules {
            store: &self.server.store,
            caller: &self.caller,
            database: &self.database,
            table: &table,
            write: self.write,
            rights: &self.rights,
            rights_first: of_request,
            no_key: if of_request {
                "a valid hash attribute must be provided with update record, check log for more info"
            } else {
                "a valid hash attribute must be provided with update record"
            },
            stopped,
        });
        self.read(&table, &mut check)?;
        check.finish()
    }

    fn read(&self, table: &Table, sink: &mut dyn Sink) -> Result<(), OperationError> {
        let open =
            |path: &PathBuf| File::open(path).map_err(|error| OperationError::invalid(error.to_string()));
        match &self.source {
            Source::Text(text) => csv::read(text.as_bytes(), table, fault!("load-json-in-texts"), sink),
            Source::Csv(path) => csv::read(open(path)?, table, !fault!("load-json-not-read"), sink),
            Source::Json(path) => json::read(open(path)?, sink),
        }
    }

    /// Writes all records, batch by batch, while the next ones are read; gives the number of those written.
    async fn write_all(self: Arc<Self>, columns: Vec<String>) -> Result<u64, OperationError> {
        let (sender, mut batches) = channel::<Vec<Object>>(WAITING);
        // A load touches most pages of its database; they are not to add up to the memory this process seems to need.
        let _low_memory =
            self.server.store.database(&self.database).map(|database| database.with_low_memory());
        let load = self.clone();
        let reading = blocking(move |_| {
            let table = load.table()?;
            let text = if matches!(load.source, Source::Text(_)) { REQUEST_TEXT } else { BATCH_TEXT };
            let records = if text == REQUEST_TEXT { usize::MAX } else { BATCH_RECORDS };
            let mut writer = Batches { sender, batch: Vec::new(), size: 0, text, records };
            load.read(&table, &mut writer)?;
            writer.send()
        });
        let writing = async {
            let mut columns = Some(columns);
            let mut written = 0;
            while let Some(records) = batches.recv().await {
                let request = WriteRequest {
                    write: self.write,
                    database: self.database.clone(),
                    table: self.table.clone(),
                    records,
                    expires_at: None,
                    username: self.username.clone(),
                    numbers: self.server.key_numbers.clone(),
                };
                let columns = columns.take().unwrap_or_default();
                written += write_under(&self.server, request, columns).await?.written.len() as u64;
            }
            Ok(written)
        };
        // Whichever fails first ends the other: a reader without a writer finds its channel closed.
        let ((), written) = futures_util::try_join!(reading, writing)?;
        Ok(written)
    }
}

/// Puts records together and hands them on.
struct Batches {
    sender: Sender<Vec<Object>>,
    batch: Vec<Object>,
    size: usize,
    text: usize,
    records: usize,
}

impl Batches {
    fn send(&mut self) -> Result<(), OperationError> {
        self.size = 0;
        let batch = std::mem::take(&mut self.batch);
        if batch.is_empty() {
            return Ok(());
        }
        let gone = |_| OperationError::new(ErrorKind::Fault, "The load was stopped");
        self.sender.blocking_send(batch).map_err(gone)
    }
}

impl Sink for Batches {
    fn columns(&mut self, _: &[String]) -> Result<(), OperationError> {
        Ok(())
    }

    fn record(&mut self, record: Object, size: usize) -> Result<(), OperationError> {
        self.batch.push(record);
        self.size += size;
        if self.size >= self.text || self.batch.len() >= self.records { self.send() } else { Ok(()) }
    }
}
