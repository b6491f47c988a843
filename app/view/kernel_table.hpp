// The kernel table: what each operation or kernel cost over a range of steps, and where.
//
// Percentiles are exact (nearest rank). Times are nanoseconds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/view/run_snapshot.hpp"
#include "app/view/selection.hpp"
#include "app/view/span_filter.hpp"

namespace app::view {

struct StepRange {
  engine::Step begin = 0;
  engine::Step end = 0;
  bool contains(engine::Step step) const { return begin <= step && step < end; }
};

struct KernelRow {
  std::string name;
  std::int16_t operation = -1;  // the index that the row stands for, of operations or kernels
  std::int16_t kernel = -1;
  std::int64_t calls = 0;
  std::int64_t total_ns = 0;
  double share = 0;  // of all rows
  std::int64_t mean_ns = 0;
  std::int64_t p50_ns = 0;
  std::int64_t p95_ns = 0;
  std::int64_t p99_ns = 0;
  std::vector<std::int64_t> layer_ns;  // [layers]
  std::int64_t outside_ns = 0;         // embedding, head, sampling
};

struct KernelTableOptions {
  enum class By : std::uint8_t { operation, kernel } by = By::operation;
  std::optional<StepRange> steps = {};
  std::optional<TimeRange> times = {};  // spans that begin in it
  HeadSet heads = {};                   // not empty: spans of these heads' layers only
  SpanFilter filter = {};
};

struct KernelTable {
  std::vector<KernelRow> rows;  // longest total first
  std::int64_t total_ns = 0;
  std::int64_t calls = 0;
};

KernelTable kernel_table(const RunSnapshot& run, const KernelTableOptions& options);

enum class KernelColumn : std::uint8_t { name, calls, total, mean, p50, p95, p99 };
// Rows that are equal in the column keep their order.
void sort_rows(KernelTable& table, KernelColumn column, bool descending);

}  // namespace app::view
