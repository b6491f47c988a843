#include "app/view/kernel_csv.hpp"

#include <fmt/format.h>

#include <iterator>
#include <optional>

namespace app::view {

namespace {

std::string quoted(const std::string& field) {
  if (field.find_first_of(",\"\r\n") == std::string::npos) return field;
  std::string text = "\"";
  for (const char character : field) {
    if (character == '"') text += '"';
    text += character;
  }
  return text + '"';
}

std::string or_empty(const std::optional<double>& value, int decimals) {
  return value ? fmt::format("{:.{}f}", *value, decimals) : "";
}

}  // namespace

std::string kernel_table_csv(const KernelTable& table) {
  std::string csv =
      "name,device,calls,total_ns,share,mean_ns,p50_ns,p95_ns,p99_ns,bytes,gb_per_s,ceiling_share,outside_"
      "layers_ns";
  const std::size_t layers = table.rows.empty() ? 0 : table.rows.front().layer_ns.size();
  for (std::size_t layer = 0; layer < layers; ++layer) csv += fmt::format(",layer_{}_ns", layer);
  csv += '\n';
  for (const KernelRow& row : table.rows) {
    fmt::format_to(std::back_inserter(csv), "{},{},{},{},{:.6f},{},{},{},{},{},{},{},{}", quoted(row.name),
                   row.device, row.calls, row.total_ns, row.share, row.mean_ns, row.p50_ns, row.p95_ns,
                   row.p99_ns, row.bytes > 0 ? std::to_string(row.bytes) : "", or_empty(row.gb_per_s(), 3),
                   or_empty(table.ceiling_share(row), 6), row.outside_ns);
    for (const std::int64_t ns : row.layer_ns) csv += fmt::format(",{}", ns);
    csv += '\n';
  }
  return csv;
}

}  // namespace app::view
