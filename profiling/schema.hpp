// The trace's tables, indexes and views, in this one place, and what marks an SQLite file as a trace of ours.
// docs/trace-format.md explains them. Raw tables are append-only (the newest rows of gate_tails and
// occupancy_runs are rewritten while recording) and never change within a version; views may.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace profiling {

inline constexpr std::int32_t kApplicationId = 0x444d5363;  // "DMSc"
inline constexpr std::int32_t kSchemaVersion = 2;           // PRAGMA user_version
inline constexpr std::int32_t kOldestSchemaVersion = 1;     // that can be read

inline constexpr std::int32_t kGateChunkTokens = 1024;   // tokens in a full row of gate_chunks
inline constexpr std::int32_t kOccupancyRunSteps = 512;  // steps in a full row of occupancy_runs
inline constexpr std::int32_t kMaxForkDepth = 64;        // sequences from one without a parent to any other
inline constexpr std::int32_t kMaxHeads = 1 << 16;       // layers * KV heads

struct SchemaTable {
  const char* name;
  const char* sql;
};

struct SchemaView {
  std::string name;
  std::string columns;
  std::string select;
  std::string create(bool temporary) const;
};

// Created with the file; a trace whose tables read differently is refused.
std::span<const SchemaTable> raw_tables();
// The tables of a trace of an older version.
std::vector<SchemaTable> raw_tables(std::int32_t version);
// What makes such a trace read as one of this version, by TEMP objects of the connection; empty: nothing.
std::string upgrade_sql(std::int32_t version);
// Built when recording ends.
std::span<const SchemaTable> final_indexes();
// The tables people query: tokens, steps, gates, evictions, ... They need nothing but SQLite.
const std::vector<SchemaView>& public_views();
// A query: kind, bytes and ns of each span of a GPU. A kernel that started before the one before it on its
// stream had ended waited inside: ns counts from the latest end before it, so that no time counts twice.
std::string charged_spans_sql();

}  // namespace profiling
