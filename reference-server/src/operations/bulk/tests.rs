//! Bulk operations from their request to the record of their job.
