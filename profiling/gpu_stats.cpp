#include "profiling/gpu_stats.hpp"

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "profiling/schema.hpp"

namespace profiling {
namespace {

using Json = nlohmann::ordered_json;

// A file's own view of that name may be any query: it is not asked.
std::string select_of(std::string_view view) {
  const auto& views = public_views();
  const auto found =
      std::find_if(views.begin(), views.end(), [&](const SchemaView& each) { return each.name == view; });
  return found->select;
}

std::optional<double> real_or_none(const Statement& row, int column) {
  return row.is_null(column) ? std::nullopt : std::optional(row.real(column));
}

engine::Status gather_kernels(const Database& db, GpuStats& stats) {
  Statement rows = db.prepare(select_of("kernel_speeds") + " ORDER BY 5 DESC");
  while (rows.step()) {
    stats.kernels.push_back({std::string(rows.text(0)), rows.integer(1), std::string(rows.text(2)),
                             rows.integer(3), rows.real(4), std::nullopt, real_or_none(rows, 6),
                             real_or_none(rows, 7)});
    if (!rows.is_null(5)) stats.kernels.back().bytes = rows.integer(5);
  }
  return rows.status();
}

engine::Status gather_counters(const Database& db, GpuStats& stats) {
  Statement rows = db.prepare(
      "SELECT t.device, coalesce(t.name, 'unknown'), coalesce(t.unit, ''), count(*), avg(c.value), "
      "min(c.value), max(c.value) FROM raw_counters c LEFT JOIN counter_tracks t ON t.id = c.track "
      "GROUP BY 1, 2, 3 ORDER BY 1, 2");
  while (rows.step()) {
    stats.counters.push_back({rows.integer(0), std::string(rows.text(1)), std::string(rows.text(2)),
                              rows.integer(3), rows.real(4), rows.real(5), rows.real(6)});
  }
  return rows.status();
}

// The last value of a parameter; empty: it has none.
engine::Result<std::string> parameter(const Database& db, const char* name) {
  Statement row = db.prepare("SELECT value FROM raw_parameters WHERE name = ? ORDER BY id DESC LIMIT 1");
  std::string value;
  if (row.bind(name).step()) value = std::string(row.text(0));
  if (!row.status()) return row.status().error();
  return value;
}

std::optional<double> number(const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  return text.empty() || *end != '\0' ? std::nullopt : std::optional(value);
}

template <typename T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

}  // namespace

engine::Result<GpuStats> gather_gpu_stats(const Database& db) {
  GpuStats stats;
  if (auto status = gather_kernels(db, stats); !status) return status.error();
  if (auto status = gather_counters(db, stats); !status) return status.error();
  auto profile = parameter(db, "profile");
  if (!profile) return profile.error();
  stats.profile = std::move(*profile);
  const auto cost = parameter(db, "profile_cost_percent");
  if (!cost) return cost.error();
  stats.cost_percent = number(*cost);
  const auto ceiling = parameter(db, "copy_ceiling_gb_per_s");
  if (!ceiling) return ceiling.error();
  stats.copy_ceiling_gb_per_s = number(*ceiling);
  return stats;
}

void add_gpu_json(const GpuStats& stats, Json& json) {
  Json kernels = Json::array();
  for (const KernelStats& kernel : stats.kernels) {
    kernels.push_back({{"kernel", kernel.name},
                       {"device", kernel.device},
                       {"operation", kernel.operation},
                       {"calls", kernel.calls},
                       {"seconds", kernel.seconds},
                       {"bytes", or_null(kernel.bytes)},
                       {"gb_per_s", or_null(kernel.gb_per_s)},
                       {"ceiling_share", or_null(kernel.ceiling_share)}});
  }
  Json counters = Json::array();
  for (const CounterStats& counter : stats.counters) {
    counters.push_back({{"device", counter.device},
                        {"track", counter.track},
                        {"unit", counter.unit},
                        {"samples", counter.samples},
                        {"mean", counter.mean},
                        {"min", counter.lowest},
                        {"max", counter.highest}});
  }
  json["kernels"] = std::move(kernels);
  json["counters"] = std::move(counters);
  json["profile"] = {{"mode", stats.profile.empty() ? Json(nullptr) : Json(stats.profile)},
                     {"cost_percent", or_null(stats.cost_percent)},
                     {"copy_ceiling_gb_per_s", or_null(stats.copy_ceiling_gb_per_s)}};
}

std::string gpu_lines(const GpuStats& stats) {
  constexpr std::size_t kMostKernels = 8;
  std::string text;
  for (std::size_t i = 0; i < std::min(stats.kernels.size(), kMostKernels); ++i) {
    const KernelStats& kernel = stats.kernels[i];
    text += fmt::format(
        "{:<10} {:>9.3f} s  {:>8} calls  {}{}  {}\n", i == 0 ? "kernels" : "", kernel.seconds, kernel.calls,
        kernel.gb_per_s ? fmt::format("{:>7.0f} GB/s", *kernel.gb_per_s) : "      – GB/s",
        kernel.ceiling_share ? fmt::format(" {:>3.0f} %", 100 * *kernel.ceiling_share) : "", kernel.name);
  }
  for (const CounterStats& counter : stats.counters) {
    text += fmt::format("GPU {:<6} {} {:.6g} {} on average, {:.6g} to {:.6g}\n", counter.device,
                        counter.track, counter.mean, counter.unit, counter.lowest, counter.highest);
  }
  if (!stats.profile.empty()) {
    text += fmt::format("profiling  {}{}\n", stats.profile,
                        stats.cost_percent ? fmt::format(", costs {:.1f} %", *stats.cost_percent) : "");
  }
  return text;
}

}  // namespace profiling
