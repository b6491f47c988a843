#include "app/gui/panels/panel_makers.hpp"

#include "app/gui/panels/compression_panel.hpp"
#include "app/gui/panels/history_panel.hpp"
#include "app/gui/panels/kernels_panel.hpp"
#include "app/gui/panels/lens_panel.hpp"
#include "app/gui/panels/log_panel.hpp"
#include "app/gui/panels/map_panel.hpp"
#include "app/gui/panels/occupancy_panel.hpp"
#include "app/gui/panels/prompt_panel.hpp"
#include "app/gui/panels/quality_panel.hpp"
#include "app/gui/panels/retention_panel.hpp"
#include "app/gui/panels/statistics_panel.hpp"
#include "app/gui/panels/text_panel.hpp"
#include "app/gui/panels/timeline_panel.hpp"
#include "app/gui/panels/trace_panel.hpp"
#include "app/gui/panels/tuning_panel.hpp"

namespace app::gui {

namespace {

template <typename Kind>
PanelMaker make() {
  return [] { return std::make_unique<Kind>(); };
}

}  // namespace

std::map<std::string, PanelMaker> panel_makers() {
  return {
      {"compression", make<CompressionPanel>()},
      {"history", make<HistoryPanel>()},
      {"kernels", make<KernelsPanel>()},
      {"lens", make<LensPanel>()},
      {"log", make<LogPanel>()},
      {"map", make<MapPanel>()},
      {"occupancy", make<OccupancyPanel>()},
      {"prompt", make<PromptPanel>()},
      {"quality", make<QualityPanel>()},
      {"retention", make<RetentionPanel>()},
      {"statistics", make<StatisticsPanel>()},
      {"text", make<TextPanel>()},
      {"timeline", make<TimelinePanel>()},
      {"trace", make<TracePanel>()},
      {"tuning", make<TuningPanel>()},
  };
}

}  // namespace app::gui
