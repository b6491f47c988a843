#include "profiling/schema.hpp"

namespace profiling {
namespace {

constexpr SchemaTable kTables[] = {
    {"meta", "CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID"},
    {"strings", "CREATE TABLE strings(id INTEGER PRIMARY KEY, text TEXT)"},
    {"operation_names", "CREATE TABLE operation_names(id INTEGER PRIMARY KEY, name TEXT)"},
    {"kernel_names", "CREATE TABLE kernel_names(id INTEGER PRIMARY KEY, name TEXT)"},
    // The order of the events: one blob per transaction, see event_log.hpp.
    {"event_log", "CREATE TABLE event_log(id INTEGER PRIMARY KEY, events BLOB)"},
    {"raw_sequences",
     "CREATE TABLE raw_sequences(id INTEGER PRIMARY KEY, sequence INTEGER, parent INTEGER, fork_position "
     "INTEGER)"},
    {"raw_tokens",
     "CREATE TABLE raw_tokens(id INTEGER PRIMARY KEY, sequence INTEGER, position INTEGER, token INTEGER, "
     "text INTEGER, phase INTEGER, step INTEGER)"},
    {"raw_steps",
     "CREATE TABLE raw_steps(id INTEGER PRIMARY KEY, step INTEGER, phase INTEGER, start_ns INTEGER, "
     "duration_ns INTEGER, tokens INTEGER, kv_reads INTEGER)"},
    // `marked` stands before `logits` so that reading decisions does not touch the logits' overflow pages.
    {"gate_chunks",
     "CREATE TABLE gate_chunks(id INTEGER PRIMARY KEY, sequence INTEGER, layer INTEGER, first INTEGER, "
     "count INTEGER, marked BLOB, logits BLOB)"},
    {"gate_tails",
     "CREATE TABLE gate_tails(id INTEGER PRIMARY KEY, sequence INTEGER, first INTEGER, count INTEGER, "
     "marked BLOB, logits BLOB)"},
    {"raw_evictions",
     "CREATE TABLE raw_evictions(id INTEGER PRIMARY KEY, sequence INTEGER, step INTEGER, tokens BLOB)"},
    {"occupancy_runs",
     "CREATE TABLE occupancy_runs(id INTEGER PRIMARY KEY, sequence INTEGER, first_step INTEGER, steps "
     "INTEGER, "
     "live BLOB, allocated BLOB, live_bits BLOB, allocated_bits BLOB)"},
    {"span_kinds",
     "CREATE TABLE span_kinds(id INTEGER PRIMARY KEY, layer INTEGER, operation INTEGER, kernel INTEGER, "
     "device INTEGER, stream INTEGER)"},
    {"raw_spans",
     "CREATE TABLE raw_spans(id INTEGER PRIMARY KEY, start_ns INTEGER, duration_ns INTEGER, step INTEGER, "
     "kind INTEGER)"},
    {"raw_parameters",
     "CREATE TABLE raw_parameters(id INTEGER PRIMARY KEY, step INTEGER, name TEXT, value TEXT)"},
    {"raw_quality",
     "CREATE TABLE raw_quality(id INTEGER PRIMARY KEY, sequence INTEGER, position INTEGER, measure INTEGER, "
     "value REAL)"},
    {"raw_notices", "CREATE TABLE raw_notices(id INTEGER PRIMARY KEY, text TEXT)"},
    {"drops", "CREATE TABLE drops(what TEXT PRIMARY KEY, count INTEGER, meaning TEXT) WITHOUT ROWID"},
};

constexpr SchemaTable kIndexes[] = {
    {"tokens_by_position", "CREATE INDEX tokens_by_position ON raw_tokens(sequence, position)"},
    {"spans_by_start", "CREATE INDEX spans_by_start ON raw_spans(start_ns)"},
};

}  // namespace

std::span<const SchemaTable> raw_tables() {
  return kTables;
}
std::span<const SchemaTable> final_indexes() {
  return kIndexes;
}

std::string SchemaView::create(bool temporary) const {
  return std::string("CREATE ") + (temporary ? "TEMP " : "") + "VIEW " + name + "(" + columns + ") AS " +
         select;
}

}  // namespace profiling
