#include "profiling/schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>

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
     "device INTEGER, stream INTEGER, graph INTEGER)"},
    {"raw_spans",
     "CREATE TABLE raw_spans(id INTEGER PRIMARY KEY, start_ns INTEGER, duration_ns INTEGER, step INTEGER, "
     "kind INTEGER, bytes INTEGER)"},
    {"raw_tracks",
     "CREATE TABLE raw_tracks(id INTEGER PRIMARY KEY, device INTEGER, stream INTEGER, name TEXT)"},
    {"counter_tracks",
     "CREATE TABLE counter_tracks(id INTEGER PRIMARY KEY, device INTEGER, name TEXT, unit TEXT)"},
    {"raw_counters",
     "CREATE TABLE raw_counters(id INTEGER PRIMARY KEY, track INTEGER, time_ns INTEGER, value REAL)"},
    {"raw_losses", "CREATE TABLE raw_losses(id INTEGER PRIMARY KEY, what TEXT, count INTEGER, meaning TEXT)"},
    {"raw_parameters",
     "CREATE TABLE raw_parameters(id INTEGER PRIMARY KEY, step INTEGER, name TEXT, value TEXT)"},
    {"raw_quality",
     "CREATE TABLE raw_quality(id INTEGER PRIMARY KEY, sequence INTEGER, position INTEGER, measure INTEGER, "
     "value REAL)"},
    {"raw_notices", "CREATE TABLE raw_notices(id INTEGER PRIMARY KEY, text TEXT)"},
    {"drops", "CREATE TABLE drops(what TEXT PRIMARY KEY, count INTEGER, meaning TEXT) WITHOUT ROWID"},
};

// Tables that read differently in version 1, and what makes them read as today's. Tables it lacks are empty.
struct OldTable {
  const char* name;
  const char* sql;
  const char* as_new;  // columns, of the table itself
};
constexpr OldTable kVersion1[] = {
    {"span_kinds",
     "CREATE TABLE span_kinds(id INTEGER PRIMARY KEY, layer INTEGER, operation INTEGER, kernel INTEGER, "
     "device INTEGER, stream INTEGER)",
     "*, -1 AS graph"},
    {"raw_spans",
     "CREATE TABLE raw_spans(id INTEGER PRIMARY KEY, start_ns INTEGER, duration_ns INTEGER, step INTEGER, "
     "kind INTEGER)",
     "*, 0 AS bytes"},
};
constexpr std::string_view kSinceVersion2[] = {"raw_tracks", "counter_tracks", "raw_counters", "raw_losses"};

constexpr SchemaTable kIndexes[] = {
    {"tokens_by_position", "CREATE INDEX tokens_by_position ON raw_tokens(sequence, position)"},
    {"spans_by_start", "CREATE INDEX spans_by_start ON raw_spans(start_ns)"},
};

}  // namespace

std::span<const SchemaTable> raw_tables() {
  return kTables;
}

std::vector<SchemaTable> raw_tables(std::int32_t version) {
  std::vector<SchemaTable> tables(std::begin(kTables), std::end(kTables));
  if (version != 1) return tables;
  std::erase_if(tables, [](const SchemaTable& table) {
    return std::find(std::begin(kSinceVersion2), std::end(kSinceVersion2), table.name) !=
           std::end(kSinceVersion2);
  });
  for (SchemaTable& table : tables) {
    for (const OldTable& old : kVersion1) {
      if (std::string_view(old.name) == table.name) table.sql = old.sql;
    }
  }
  return tables;
}

std::string upgrade_sql(std::int32_t version) {
  if (version != 1) return {};
  std::string sql = "PRAGMA temp_store = MEMORY;";
  for (const OldTable& old : kVersion1) {
    sql += fmt::format("CREATE TEMP VIEW {0} AS SELECT {1} FROM main.{0};", old.name, old.as_new);
  }
  for (const SchemaTable& table : kTables) {
    const auto* const fresh = std::find(std::begin(kSinceVersion2), std::end(kSinceVersion2), table.name);
    if (fresh == std::end(kSinceVersion2)) continue;
    sql += "CREATE TEMP TABLE" + std::string(table.sql).substr(std::string_view("CREATE TABLE").size()) + ";";
  }
  return sql;
}
std::span<const SchemaTable> final_indexes() {
  return kIndexes;
}

std::string SchemaView::create(bool temporary) const {
  return std::string("CREATE ") + (temporary ? "TEMP " : "") + "VIEW " + name + "(" + columns + ") AS " +
         select;
}

}  // namespace profiling
