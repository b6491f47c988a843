#include "app/gui/panels/span_tooltip.hpp"

#include <fmt/format.h>

#include "app/gui/panels/timeline_drawing.hpp"
#include "app/view/format.hpp"
#include "app/view/kernel_class.hpp"
#include "app/view/timeline_lanes.hpp"

namespace app::gui {

namespace {

constexpr float kNameRoom = 330;  // of a kernel: template arguments can be long

void draw_speed(Ui& ui, const view::RunSnapshot& run, const view::ProfileFacts& facts,
                const engine::Span& span, const engine::Span& charged) {
  if (span.bytes <= 0) {
    tooltip_line(ui, "bytes", view::kUnknown, Role::text2);
    return tooltip_note(ui, view::why_no_bytes(run, span));
  }
  tooltip_line(ui, "bytes", view::format_bytes(span.bytes));
  const std::int64_t ns = charged.end_ns - charged.start_ns;
  if (ns <= 0) return;
  const double speed = static_cast<double>(span.bytes) / static_cast<double>(ns);
  tooltip_line(ui, "achieved", view::format_bandwidth(speed));
  if (facts.copy_ceiling_gb_per_s) {
    tooltip_line(ui, "of copy",
                 fmt::format("{} of {}", view::format_percent(speed / *facts.copy_ceiling_gb_per_s),
                             view::format_bandwidth(*facts.copy_ceiling_gb_per_s)));
  } else {
    tooltip_line(ui, "of copy", "ceiling not measured", Role::text2);
  }
}

// Nothing where it had its stream for itself.
void draw_wait(const Ui& ui, const engine::Span& span, const engine::Span& charged) {
  const std::int64_t waited = charged.start_ns - span.start_ns;
  if (waited <= 0) return;
  if (charged.start_ns == span.end_ns) {
    tooltip_line(ui, "charged", "nothing");
    return tooltip_note(ui, "It ran wholly while an earlier kernel of its stream did.");
  }
  tooltip_line(ui, "waited", view::format_duration(waited) + " of that, for the kernel before");
  tooltip_line(ui, "charged", view::format_duration(span.end_ns - charged.start_ns));
}

}  // namespace

void draw_span_facts(Ui& ui, const view::RunSnapshot& run, const view::ProfileFacts& facts,
                     const engine::Span& span, const engine::Span& charged, std::int64_t origin) {
  const std::string operation = name_of_operation(run, span.operation);
  const view::KernelClass of = view::class_of_kernel(operation);
  label(ui, of == view::KernelClass::graph ? "whole graph" : operation.c_str(), Role::text, Face::ui_strong);
  tooltip_line(ui, "ran", view::format_duration(span.end_ns - span.start_ns));
  draw_wait(ui, span, charged);
  tooltip_line(ui, "starts", view::format_duration(span.start_ns - origin));
  const std::string* const kernel = run.kernel_name(span.kernel);
  if (kernel != nullptr && of != view::KernelClass::graph) {
    std::string fitted;
    {
      const FontScope font(ui.fonts(), Face::mono, text_size::kTable);
      fitted = fit_text(*kernel, ui.px(kNameRoom));
    }
    tooltip_line(ui, span.device < 0 && span.stream != engine::kEngineLane ? "call" : "kernel", fitted);
  }
  if (span.layer >= 0) tooltip_line(ui, "layer", std::to_string(span.layer));
  tooltip_line(ui, "step", span.step >= 0 ? view::format_count(span.step) : std::string(view::kUnknown));
  if (span.device < 0) return;
  draw_speed(ui, run, facts, span, charged);
  tooltip_line(ui, "device", view::device_name(run, span.device));
  tooltip_line(ui, "stream", view::stream_name(run, span.device, span.stream));
  if (span.graph >= 0) tooltip_line(ui, "graph", view::format_count(span.graph));
  if (of == view::KernelClass::graph)
    tooltip_note(ui, facts.without_cupti
                         ? "The kernels inside are not told apart: CUDA events time a graph as a whole."
                         : "The kernels inside are not told apart: --profile detailed times each of them.");
  if (of == view::KernelClass::unattributed)
    tooltip_note(ui, "No launch that is known explains it. It is counted, and never guessed.");
}

}  // namespace app::gui
