#include "app/gui/commands/eval_plot.hpp"

#include <fmt/format.h>
#include <imgui.h>
#include <implot.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <system_error>

#include "app/gui/host/host.hpp"
#include "app/gui/host/image.hpp"
#include "app/gui/widgets/ui.hpp"

namespace app::gui {

namespace {

using eval::SummaryRow;

constexpr int kPlotWidth = 560, kPlotHeight = 360, kMargin = 16, kTitle = 40;
constexpr int kMostColumns = 3;
constexpr int kSettlingFrames = 3;  // plots fit their axes over the first ones

struct Point {
  double ratio = 1;
  double value = 0;  // percent
  double below = 0;  // of the interval
  double above = 0;
};

struct Chart {
  std::string title;
  bool is_text = false;
  std::int64_t samples = 0;
  std::optional<double> dense;                       // percent; of a text 0
  std::map<std::string, std::vector<Point>> series;  // by policy and window
};

std::string series_name(const SummaryRow& row) {
  if (row.policy == "window") return "sliding window";
  return fmt::format("{}, window {}", row.policy == "knorm" ? "key norm" : row.policy, row.window);
}

// A text's value is what perplexity gained over dense, which must have been measured.
std::optional<Point> point_of(const SummaryRow& row) {
  if (row.answers) {
    const eval::Share& share = row.answers->accuracy;
    return Point{row.ratio, 100 * share.value, 100 * (share.value - share.low),
                 100 * (share.high - share.value)};
  }
  if (!row.text || !row.text->dense_perplexity) return std::nullopt;
  return Point{row.ratio, 100 * (row.text->perplexity / *row.text->dense_perplexity - 1), 0, 0};
}

std::vector<Chart> charts_of(const std::vector<SummaryRow>& rows) {
  std::vector<Chart> charts;
  for (const SummaryRow& row : rows) {
    const std::string title =
        row.context > 0 ? fmt::format("{}, {} tokens", row.task, row.context) : row.task;
    auto chart =
        std::find_if(charts.begin(), charts.end(), [&](const Chart& other) { return other.title == title; });
    if (chart == charts.end())
      chart = charts.insert(charts.end(), Chart{title, row.text.has_value(), row.samples, {}, {}});
    const auto point = point_of(row);
    if (!point) continue;
    if (row.policy == "dense") {
      chart->dense = point->value;
    } else {
      chart->series[series_name(row)].push_back(*point);
    }
  }
  for (Chart& chart : charts) {
    for (auto& [name, points] : chart.series) {
      std::sort(points.begin(), points.end(),
                [](const Point& a, const Point& b) { return a.ratio < b.ratio; });
    }
  }
  return charts;
}

double highest_ratio(const std::vector<Chart>& charts) {
  double highest = 2;
  for (const Chart& chart : charts) {
    for (const auto& [name, points] : chart.series) highest = std::max(highest, points.back().ratio);
  }
  return highest;
}

int ratio_tick(double value, char* text, int size, void*) {
  const auto end = fmt::format_to_n(text, static_cast<std::size_t>(size - 1), "{:g}x", value);
  *end.out = '\0';
  return static_cast<int>(end.size);
}

constexpr Role kSeriesRoles[] = {Role::kept,       Role::doomed_text, Role::kernel_attention,
                                 Role::kernel_mlp, Role::accent,      Role::kernel_head};

void draw_series(const Ui& ui, const std::string& name, const std::vector<Point>& points, std::size_t index,
                 bool with_interval) {
  const ImVec4 color = to_vec4(ui.color(kSeriesRoles[index % std::size(kSeriesRoles)]));
  std::vector<double> x, y, below, above;
  for (const Point& point : points) {
    x.push_back(point.ratio);
    y.push_back(point.value);
    below.push_back(point.below);
    above.push_back(point.above);
  }
  const int count = static_cast<int>(x.size());
  ImPlotSpec spec;
  spec.LineColor = color;
  spec.LineWeight = 2;
  spec.MarkerFillColor = spec.MarkerLineColor = color;
  spec.Marker = ImPlotMarker_Circle + static_cast<int>(index % 4);
  spec.MarkerSize = 5;
  if (with_interval) {
    ImPlotSpec bars;
    bars.LineColor = {color.x, color.y, color.z, 0.55F};
    bars.Size = 4;
    ImPlot::PlotErrorBars(name.c_str(), x.data(), y.data(), below.data(), above.data(), count, bars);
  }
  ImPlot::PlotLine(name.c_str(), x.data(), y.data(), count, spec);
}

void draw_dense(const Ui& ui, double level) {
  ImPlotSpec spec;
  spec.LineColor = to_vec4(ui.color(Role::text3));
  spec.Flags = ImPlotInfLinesFlags_Horizontal;
  ImPlot::PlotInfLines("dense", &level, 1, spec);
}

void draw_chart(const Ui& ui, const Chart& chart, double highest) {
  label(ui, chart.title.c_str(), Role::text, Face::ui_strong, 13);
  ImGui::SameLine();
  label(ui, fmt::format("{} samples", chart.samples).c_str(), Role::text3, Face::ui, 11);
  const ImVec2 size{static_cast<float>(kPlotWidth), static_cast<float>(kPlotHeight - 28)};
  if (!ImPlot::BeginPlot(chart.title.c_str(), size, ImPlotFlags_NoTitle | ImPlotFlags_NoMouseText)) return;
  ImPlot::SetupAxis(ImAxis_X1, "dense slots / live slots");
  ImPlot::SetupAxis(ImAxis_Y1, chart.is_text ? "perplexity over dense, %" : "accuracy, %",
                    chart.is_text ? ImPlotAxisFlags_AutoFit : ImPlotAxisFlags_None);
  ImPlot::SetupAxisScale(ImAxis_X1, ImPlotScale_Log10);
  ImPlot::SetupAxisLimits(ImAxis_X1, 0.95, highest * 1.1, ImPlotCond_Always);
  std::vector<double> ticks;
  for (double tick = 1; tick <= highest * 1.1; tick *= 2) ticks.push_back(tick);
  ImPlot::SetupAxisTicks(ImAxis_X1, ticks.data(), static_cast<int>(ticks.size()));
  ImPlot::SetupAxisFormat(ImAxis_X1, ratio_tick);
  if (!chart.is_text) ImPlot::SetupAxisLimits(ImAxis_Y1, -5, 105, ImPlotCond_Always);
  ImPlot::SetupLegend(ImPlotLocation_SouthWest);
  if (chart.dense) draw_dense(ui, *chart.dense);
  std::size_t index = 0;
  for (const auto& [name, points] : chart.series) draw_series(ui, name, points, index++, !chart.is_text);
  ImPlot::EndPlot();
}

void draw_page(const Ui& ui, const std::vector<Chart>& charts, const std::string& model, int columns,
               double highest) {
  ImGui::SetNextWindowPos({0, 0});
  ImGui::SetNextWindowSize(ImGui::GetMainViewport()->Size);
  ImGui::Begin("evaluation", nullptr,
               ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoDocking | ImGuiWindowFlags_NoSavedSettings);
  ImGui::SetCursorPos({kMargin, kMargin});
  label(ui, fmt::format("{}: quality against compression", model).c_str(), Role::text, Face::ui_bold, 16);
  for (std::size_t i = 0; i < charts.size(); ++i) {
    const auto column = static_cast<int>(i) % columns, row = static_cast<int>(i) / columns;
    ImGui::SetCursorPos({static_cast<float>(kMargin + column * (kPlotWidth + kMargin)),
                         static_cast<float>(kTitle + row * (kPlotHeight + kMargin))});
    ImGui::BeginGroup();
    draw_chart(ui, charts[i], highest);
    ImGui::EndGroup();
  }
  ImGui::End();
}

engine::Result<std::unique_ptr<Host>> make_host(int width, int height) {
  HostOptions options;
  options.kind = HostKind::offscreen;
  options.width = width;
  options.height = height;
  return Host::create(options);
}

}  // namespace

engine::Status check_plot(const std::filesystem::path& path) {
  std::error_code error;
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  if (!std::filesystem::is_directory(folder, error)) {
    return engine::bad_input("--plot {}: there is no folder {}", path.string(), folder.string());
  }
  const auto host = make_host(64, 64);
  return host ? engine::Status() : engine::Status(host.error());
}

engine::Status draw_evaluation(const std::vector<SummaryRow>& rows, const std::string& model,
                               const std::filesystem::path& path) {
  const std::vector<Chart> charts = charts_of(rows);
  const int columns = std::min<int>(kMostColumns, static_cast<int>(charts.size()));
  const int lines = (static_cast<int>(charts.size()) + columns - 1) / columns;
  auto host = make_host(kMargin + columns * (kPlotWidth + kMargin), kTitle + lines * (kPlotHeight + kMargin));
  if (!host) return host.error();
  const Fonts fonts({});
  Ui ui(make_theme(ThemeKind::light, Palette::blue_orange), Metrics(1), fonts);
  ui.restyle(ui.theme(), ui.metrics());
  ImPlot::GetStyle().FitPadding = {0, 0.08F};  // markers at the ends stay whole
  for (int frame = 0; frame < kSettlingFrames; ++frame) {
    (*host)->begin_frame();
    draw_page(ui, charts, model, columns, highest_ratio(charts));
    (*host)->end_frame();
  }
  auto picture = (*host)->read_pixels();
  return picture ? write_png(path, *picture) : engine::Status(picture.error());
}

}  // namespace app::gui
