#include "app/view/kernel_table.hpp"

#include <algorithm>
#include <map>

#include "app/view/percentile.hpp"
#include "app/view/profile_facts.hpp"
#include "app/view/saturating.hpp"

namespace app::view {

namespace {

bool is_wanted(const engine::Span& span, const KernelTableOptions& options, const SpanFilter::Bound& filter) {
  // Calls that launch kernels, and the profiler's own time, are not kernels.
  if (span.device < 0 && span.stream != engine::kEngineLane) return false;
  if (options.steps && !options.steps->contains(span.step)) return false;
  if (options.times && (span.start_ns < options.times->begin_ns || span.start_ns >= options.times->end_ns)) {
    return false;
  }
  if (!options.heads.empty() && !options.heads.contains_layer(span.layer)) return false;
  return filter.matches(span);
}

std::string name_at(const std::vector<std::string>& names, std::int16_t index, const char* kind) {
  const bool known = index >= 0 && static_cast<std::size_t>(index) < names.size();
  return known ? names[static_cast<std::size_t>(index)] : kind + std::string(" ") + std::to_string(index);
}

std::string name_of_kernel(const RunSnapshot& run, std::int16_t index) {
  const std::string* const name = run.kernel_name(index);
  return name != nullptr ? *name : "kernel " + std::to_string(index);
}

struct Group {
  KernelRow row;
  std::vector<std::int64_t> durations;
  std::map<std::int16_t, std::int64_t> operations_ns;
};

void add(Group& group, const engine::Span& span) {
  const std::int64_t duration = span.end_ns - span.start_ns;
  group.durations.push_back(duration);
  ++group.row.calls;
  add_saturating(group.row.total_ns, duration);
  add_saturating(group.operations_ns[span.operation], duration);
  if (span.bytes > 0) {
    ++group.row.bytes_calls;
    add_saturating(group.row.bytes, span.bytes);
    add_saturating(group.row.bytes_ns, duration);
  }
  const bool in_layer = span.layer >= 0 && static_cast<std::size_t>(span.layer) < group.row.layer_ns.size();
  add_saturating(in_layer ? group.row.layer_ns[static_cast<std::size_t>(span.layer)] : group.row.outside_ns,
                 duration);
}

std::int64_t key_of(const KernelRow& row, KernelColumn column) {
  switch (column) {
    case KernelColumn::calls:
      return row.calls;
    case KernelColumn::mean:
      return row.mean_ns;
    case KernelColumn::p50:
      return row.p50_ns;
    case KernelColumn::p95:
      return row.p95_ns;
    case KernelColumn::p99:
      return row.p99_ns;
    case KernelColumn::device:
      return row.device;
    case KernelColumn::name:
    case KernelColumn::gb_per_s:
    case KernelColumn::total:
      break;
  }
  return row.total_ns;
}

}  // namespace

std::optional<double> KernelRow::gb_per_s() const {
  if (bytes <= 0 || bytes_ns <= 0) return std::nullopt;
  return static_cast<double>(bytes) / static_cast<double>(bytes_ns);
}

std::optional<double> KernelTable::ceiling_share(const KernelRow& row) const {
  const auto speed = row.gb_per_s();
  if (row.device < 0 || !speed || !copy_ceiling_gb_per_s) return std::nullopt;
  return *speed / *copy_ceiling_gb_per_s;
}

KernelTable kernel_table(const RunSnapshot& run, const KernelTableOptions& options) {
  ChargedTimes charged;
  return kernel_table(run, options, charged);
}

KernelTable kernel_table(const RunSnapshot& run, const KernelTableOptions& options, ChargedTimes& charged) {
  charged.update(run);
  const bool by_operation = options.by == KernelTableOptions::By::operation;
  const SpanFilter::Bound filter = options.filter.bind(run);
  std::map<std::pair<std::int16_t, std::int16_t>, Group> groups;
  const SpanView& spans = run.spans();
  for (std::size_t i = 0; i < spans.size(); ++i) {
    const engine::Span span = charged.charged(spans.dropped() + static_cast<std::int64_t>(i));
    if (!is_wanted(span, options, filter)) continue;
    const std::int16_t index = by_operation ? span.operation : span.kernel;
    Group& group = groups[{index, span.device}];
    if (group.row.calls == 0) {
      group.row.name =
          by_operation ? name_at(run.run().operations, index, "operation") : name_of_kernel(run, index);
      (by_operation ? group.row.operation : group.row.kernel) = index;
      group.row.device = span.device;
      group.row.layer_ns.resize(static_cast<std::size_t>(std::max(0, run.layers())));
    }
    add(group, span);
  }
  KernelTable table;
  table.copy_ceiling_gb_per_s = profile_facts(run).copy_ceiling_gb_per_s;
  for (auto& [key, group] : groups) {
    group.row.mean_ns = group.row.total_ns / group.row.calls;
    group.row.p50_ns = percentile(group.durations, 0.50);
    group.row.p95_ns = percentile(group.durations, 0.95);
    group.row.p99_ns = percentile(group.durations, 0.99);
    group.row.most_spent = std::max_element(group.operations_ns.begin(), group.operations_ns.end(),
                                            [](const auto& a, const auto& b) { return a.second < b.second; })
                               ->first;
    add_saturating(table.total_ns, group.row.total_ns);
    table.calls += group.row.calls;
    table.has_gpu = table.has_gpu || group.row.device >= 0;
    table.rows.push_back(std::move(group.row));
  }
  for (KernelRow& row : table.rows) {
    row.share =
        table.total_ns > 0 ? static_cast<double>(row.total_ns) / static_cast<double>(table.total_ns) : 0;
    table.has_several = table.has_several || row.device != table.rows.front().device;
  }
  sort_rows(table, KernelColumn::total, true);
  return table;
}

void sort_rows(KernelTable& table, KernelColumn column, bool descending) {
  std::stable_sort(table.rows.begin(), table.rows.end(), [&](const KernelRow& a, const KernelRow& b) {
    if (column == KernelColumn::gb_per_s) {
      const auto first = a.gb_per_s(), second = b.gb_per_s();
      if (!first || !second) return first.has_value() && !second;
      return descending ? *first > *second : *first < *second;
    }
    const KernelRow& first = descending ? b : a;
    const KernelRow& second = descending ? a : b;
    return column == KernelColumn::name ? first.name < second.name
                                        : key_of(first, column) < key_of(second, column);
  });
}

}  // namespace app::view
