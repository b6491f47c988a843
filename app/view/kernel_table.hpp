// The kernel table: what each operation or kernel cost over a range of steps, and where.
//
// Percentiles are exact (nearest rank). Times are nanoseconds, those of a GPU's kernels what they are charged
// with (charged_times.hpp): a stream's rows never take longer than the stream did. A GPU's rows are apart
// from the CPU's and from another GPU's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/view/charged_times.hpp"
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
  std::int16_t device = -1;      // as in Span
  std::int16_t most_spent = -1;  // the operation that most of its time belongs to
  std::int64_t calls = 0;
  std::int64_t total_ns = 0;
  double share = 0;           // of all rows
  std::int64_t bytes = 0;     // that the calls whose bytes are known had to move at least
  std::int64_t bytes_ns = 0;  // time of these calls
  std::int64_t bytes_calls = 0;
  std::int64_t mean_ns = 0;
  std::int64_t p50_ns = 0;
  std::int64_t p95_ns = 0;
  std::int64_t p99_ns = 0;
  std::vector<std::int64_t> layer_ns;  // [layers]
  std::int64_t outside_ns = 0;         // embedding, head, sampling

  // Achieved, over the calls whose bytes are known.
  std::optional<double> gb_per_s() const;
};

struct KernelTableOptions {
  enum class By : std::uint8_t { operation, kernel } by = By::operation;
  std::optional<StepRange> steps = {};
  std::optional<TimeRange> times = {};  // spans whose charged part begins in it
  HeadSet heads = {};                   // not empty: spans of these heads' layers only
  SpanFilter filter = {};
};

struct KernelTable {
  std::vector<KernelRow> rows;  // longest total first
  std::int64_t total_ns = 0;
  std::int64_t calls = 0;
  bool has_gpu = false;                         // a row of one
  bool has_several = false;                     // rows of more than one device
  std::optional<double> copy_ceiling_gb_per_s;  // where the run measured it

  std::optional<double> ceiling_share(const KernelRow& row) const;
};

KernelTable kernel_table(const RunSnapshot& run, const KernelTableOptions& options);
// For whoever asks again as the run grows: `charged` is brought up to the snapshot, which must not be older
// than the last one.
KernelTable kernel_table(const RunSnapshot& run, const KernelTableOptions& options, ChargedTimes& charged);

enum class KernelColumn : std::uint8_t { name, device, calls, total, mean, p50, p95, p99, gb_per_s };
// Rows that are equal in the column keep their order; what is not known comes last.
void sort_rows(KernelTable& table, KernelColumn column, bool descending);

}  // namespace app::view
