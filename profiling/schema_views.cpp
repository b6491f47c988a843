// The public views. Blobs are decoded from their hexadecimal text, which is slow but needs nothing but
// SQLite; `dmscope sql` reads the same tables through virtual tables of the same names.
#include <fmt/format.h>

#include "profiling/schema.hpp"

namespace profiling {
namespace {

constexpr const char* kLayers = "(SELECT value FROM meta WHERE key = 'layers')";
constexpr const char* kKvHeads = "(SELECT value FROM meta WHERE key = 'kv_heads')";
constexpr const char* kPhase = "CASE phase WHEN 0 THEN 'prefill' ELSE 'decode' END";

// The value of digit `at` (from 1) of the hexadecimal text `hex`.
std::string digit(const std::string& hex, int at) {
  return fmt::format("(instr('0123456789ABCDEF', substr({}, {}, 1)) - 1)", hex, at);
}

// The little-endian unsigned number of `bytes` bytes that starts at byte `first` of the hexadecimal text
// `hex`.
std::string number(const std::string& hex, int first, int bytes) {
  std::string sum;
  for (int byte = 0; byte < bytes; ++byte) {
    const int at = 2 * (first + byte) + 1;
    sum += fmt::format("{}({} << {}) + ({} << {})", byte == 0 ? "" : " + ", digit(hex, at), 8 * byte + 4,
                       digit(hex, at + 1), 8 * byte);
  }
  return fmt::format("({})", sum);
}

// Bit `bit` of the bits that start at byte `first` of `blob`; both are SQL expressions.
std::string bit(const std::string& blob, const std::string& first, const std::string& bit) {
  return fmt::format(
      "(instr('0123456789ABCDEF', substr(hex(substr({0}, 1 + ({1}) + ({2}) / 8, 1)), "
      "2 - ({2}) % 8 / 4, 1)) - 1 >> ({2}) % 4 & 1)",
      blob, first, bit);
}

// Cells of gate_chunks (one layer a row) and gate_tails (all layers a row), with `value` of each.
std::string gate_cells(const std::string& value) {
  return fmt::format(
      "SELECT c.sequence, c.layer, h.i, c.first + n.i, {0} FROM gate_chunks c "
      "JOIN numbers h ON h.i < {1} JOIN numbers n ON n.i < c.count "
      "UNION ALL SELECT c.sequence, h.i / {1}, h.i % {1}, c.first + n.i, {0} FROM gate_tails c "
      "JOIN numbers h ON h.i < {1} * {2} JOIN numbers n ON n.i < c.count",
      value, kKvHeads, kLayers);
}

std::string gates() {
  return "WITH cells(sequence, layer, kv_head, position, hex) AS (" +
         gate_cells("hex(substr(c.logits, 1 + 2 * (h.i * c.count + n.i), 2))") +
         "), halves(sequence, layer, kv_head, position, half) AS (SELECT sequence, layer, kv_head, "
         "position, " +
         number("hex", 0, 2) +
         " FROM cells) SELECT sequence, layer, kv_head, position, (CASE WHEN half >= 32768 THEN -1 ELSE 1 "
         "END) * "
         "CASE half >> 10 & 31 WHEN 31 THEN CASE half & 1023 WHEN 0 THEN 9e999 END "
         "WHEN 0 THEN (half & 1023) / 16777216.0 "
         "ELSE ((half & 1023) + 1024 << (half >> 10 & 31)) / 33554432.0 END FROM halves";
}

// What happened in each sequence itself: a forked one inherits decisions, but what its parent evicted before
// the fork is listed under the parent.
std::string evictions() {
  return fmt::format(
      "WITH RECURSIVE facts(closed, lag, window) AS (SELECT (SELECT value FROM meta WHERE key = "
      "'closed_form'), "
      "(SELECT value FROM meta WHERE key = 'lag'), (SELECT value FROM meta WHERE key = 'window')), "
      "lineage(sequence, ancestor, before, depth) AS ("
      "SELECT sequence, sequence, 9223372036854775807, 0 FROM raw_sequences UNION ALL "
      "SELECT l.sequence, s.parent, min(l.before, s.fork_position - f.lag), l.depth + 1 "
      "FROM lineage l JOIN raw_sequences s ON s.sequence = l.ancestor JOIN facts f "
      "WHERE s.parent >= 0 AND l.depth < {0}), "
      "entries(id, sequence, step, hex, i) AS ("
      "SELECT id, sequence, step, hex(substr(tokens, 1, 8)), 0 FROM raw_evictions WHERE length(tokens) >= 8 "
      "UNION ALL SELECT e.id, e.sequence, e.step, hex(substr(r.tokens, 8 * e.i + 9, 8)), e.i + 1 "
      "FROM entries e JOIN raw_evictions r ON r.id = e.id WHERE 8 * e.i + 16 <= length(r.tokens)) "
      "SELECT l.sequence, d.layer, d.kv_head, d.position, decided.step, evicted.step "
      "FROM facts f JOIN lineage l "
      "JOIN decisions d ON d.sequence = l.ancestor AND d.position < l.before AND d.marked "
      "JOIN raw_tokens evicted ON evicted.sequence = l.sequence AND evicted.position = d.position + f.window "
      "+ 1 "
      "AND evicted.step >= 0 "
      "LEFT JOIN raw_tokens decided ON decided.sequence = l.ancestor AND decided.position = d.position + "
      "f.lag "
      "WHERE f.closed "
      "UNION ALL SELECT sequence, {1}, {2}, {3}, step, step FROM entries",
      kMaxForkDepth, number("hex", 0, 2), number("hex", 2, 2), number("hex", 4, 4));
}

// Within a run every step adds a slot to the heads whose bit is set; pages follow by rule or by bits of their
// own.
std::string occupancy() {
  const std::string heads = fmt::format("{} * {}", kLayers, kKvHeads);
  const std::string stride = fmt::format("s.i * (({} + 7) / 8)", heads);
  const std::string live = "s.live + " + bit("r.live_bits", stride, "s.head");
  return fmt::format(
      "WITH RECURSIVE first(run, head, live, allocated) AS (SELECT r.id, h.i, hex(substr(r.live, 1 + 4 * "
      "h.i, 4)), "
      "hex(substr(r.allocated, 1 + 4 * h.i, 4)) FROM occupancy_runs r JOIN numbers h ON h.i < {0}), "
      "state(run, head, i, live, allocated) AS (SELECT run, head, 0, {1}, {2} FROM first UNION ALL "
      "SELECT s.run, s.head, s.i + 1, {3}, s.allocated + (SELECT value FROM meta WHERE key = 'page_slots') * "
      "CASE WHEN r.allocated_bits IS NULL THEN {3} > s.allocated ELSE {4} END "
      "FROM state s JOIN occupancy_runs r ON r.id = s.run WHERE s.i + 1 < r.steps) "
      "SELECT r.first_step + s.i, r.sequence, s.head / {5}, s.head % {5}, s.live, s.allocated "
      "FROM state s JOIN occupancy_runs r ON r.id = s.run",
      heads, number("live", 0, 4), number("allocated", 0, 4), live, bit("r.allocated_bits", stride, "s.head"),
      kKvHeads);
}

std::vector<SchemaView> build_views() {
  return {
      // 0 .. the largest index inside a blob that a view decodes.
      {"numbers", "i",
       fmt::format("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < "
                   "max({}, min({}, coalesce({} * {}, 0)))) SELECT i FROM n",
                   kGateChunkTokens, kMaxHeads, kLayers, kKvHeads)},
      {"sequences", "sequence, parent, fork_position",
       "SELECT sequence, parent, fork_position FROM raw_sequences"},
      {"tokens", "sequence, position, id, text, phase, step",
       fmt::format("SELECT t.sequence, t.position, t.token, s.text, {}, t.step FROM raw_tokens t "
                   "LEFT JOIN strings s ON s.id = t.text",
                   kPhase)},
      {"steps", "step, phase, start_ns, end_ns, tokens",
       fmt::format("SELECT step, {}, start_ns, start_ns + duration_ns, tokens FROM raw_steps", kPhase)},
      {"kv_reads", "step, slots", "SELECT step, kv_reads FROM raw_steps"},
      {"kernels", "start_ns, end_ns, device, stream, name, step, layer, operation, bytes, graph",
       "SELECT s.start_ns, s.start_ns + s.duration_ns, k.device, k.stream, n.name, s.step, k.layer, o.name, "
       "nullif(s.bytes, 0), nullif(k.graph, -1) FROM raw_spans s LEFT JOIN span_kinds k ON k.id = s.kind "
       "LEFT JOIN kernel_names n ON n.id = k.kernel "
       "LEFT JOIN operation_names o ON o.id = k.operation"},
      // Bytes per nanosecond are gigabytes per second.
      {"kernel_speeds", "name, device, operation, calls, seconds, bytes, gb_per_s, ceiling_share",
       "WITH ceiling(gb_per_s) AS (SELECT (SELECT CAST(value AS REAL) FROM raw_parameters WHERE name = "
       "'copy_ceiling_gb_per_s' ORDER BY id DESC LIMIT 1)), "
       "kinds(kernel, device, operation, calls, ns, bytes, timed_ns) AS ("
       "SELECT k.kernel, k.device, k.operation, sum(s.calls), total(s.ns), total(s.bytes), "
       "total(s.timed_ns) FROM (SELECT kind, count(*) AS calls, total(ns) AS ns, "
       "total(bytes) AS bytes, total(CASE WHEN bytes > 0 THEN ns END) AS timed_ns FROM (" +
           charged_spans_sql() +
           ") GROUP BY kind) s JOIN span_kinds k ON k.id = s.kind GROUP BY 1, 2, 3) "
           "SELECT n.name, k.device, o.name, k.calls, k.ns / 1e9, CAST(nullif(k.bytes, 0) AS INTEGER), "
           "nullif(k.bytes, 0) / nullif(k.timed_ns, 0), "
           "nullif(k.bytes, 0) / nullif(k.timed_ns, 0) / c.gb_per_s FROM kinds k JOIN ceiling c "
           "LEFT JOIN kernel_names n ON n.id = k.kernel LEFT JOIN operation_names o ON o.id = k.operation"},
      {"tracks", "device, stream, name", "SELECT device, stream, name FROM raw_tracks"},
      {"counters", "device, track, unit, time_ns, value",
       "SELECT t.device, t.name, t.unit, c.time_ns, c.value FROM raw_counters c "
       "LEFT JOIN counter_tracks t ON t.id = c.track"},
      {"parameters", "step, name, value", "SELECT step, name, value FROM raw_parameters"},
      {"quality", "sequence, position, measure, value",
       "SELECT q.sequence, q.position, s.text, q.value FROM raw_quality q LEFT JOIN strings s ON s.id = "
       "q.measure"},
      {"notices", "text", "SELECT text FROM raw_notices"},
      {"decisions", "sequence, layer, kv_head, position, marked",
       gate_cells(bit("c.marked", "h.i * ((c.count + 7) / 8)", "n.i"))},
      {"gates", "sequence, layer, kv_head, position, logit", gates()},
      {"evictions", "sequence, layer, kv_head, position, decided_step, evicted_step", evictions()},
      {"occupancy", "step, sequence, layer, kv_head, live, allocated", occupancy()},
  };
}

}  // namespace

std::string charged_spans_sql() {
  // Beyond start and end the order only has to be the same for every trace of the same run.
  return "SELECT kind, bytes, max(0, end_ns - max(start_ns, coalesce(max(end_ns) OVER (PARTITION BY device, "
         "stream ORDER BY start_ns, end_ns, operation, kernel, layer, step "
         "ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), start_ns))) AS ns "
         "FROM (SELECT s.kind, s.bytes, s.step, s.start_ns, s.start_ns + s.duration_ns AS end_ns, k.device, "
         "k.stream, k.operation, k.kernel, k.layer FROM raw_spans s JOIN span_kinds k ON k.id = s.kind "
         "WHERE k.device >= 0)";
}

const std::vector<SchemaView>& public_views() {
  static const std::vector<SchemaView> views = build_views();
  return views;
}

}  // namespace profiling
