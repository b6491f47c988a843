#include <algorithm>

#include "app/gui/shell/panel.hpp"

namespace app::gui {

const std::vector<PanelInfo>& panel_catalogue() {
  static const std::vector<PanelInfo> panels{
      {"text", "Token text",
       "The prompt and the answer appear here, each token coloured by the heads that hold it."},
      {"history", "History", "Pin a token to see which heads kept it, which dropped it, and when."},
      {"map", "Eviction map",
       "What every layer and KV head keeps, has marked and has evicted, token by token."},
      {"lens", "Window lens", "The newest tokens on their way out of the window, head by head."},
      {"occupancy", "Occupancy", "How full each head's cache is: logical, allocated and dense bytes."},
      {"quality", "Quality", "How far the answer is from the dense model's, where that was measured."},
      {"tuning", "Tuning", "Threshold and window: previews from stored logits, then a verified run."},
      {"prompt", "Prompt", "What to ask, how to sample and how many chains to run."},
      {"timeline", "Kernel timeline", "When each kernel of each layer ran, and what it cost."},
      {"kernels", "Kernels", "The same kernels as a table: calls, totals, percentiles."},
      {"statistics", "Statistics", "Numbers over the selected tokens and steps."},
      {"compression", "Compression over steps",
       "The compression ratio as the run goes on, and previews of it."},
      {"retention", "Retention by head", "The share of judged tokens that each head keeps."},
      {"trace", "Trace", "What this run or trace is: model, device, versions, dropped records."},
      {"log", "Log", "Nothing has been reported."},
  };
  return panels;
}

const PanelInfo* panel_named(std::string_view name) {
  const auto& panels = panel_catalogue();
  const auto found =
      std::find_if(panels.begin(), panels.end(), [&](const PanelInfo& p) { return p.name == name; });
  return found == panels.end() ? nullptr : &*found;
}

}  // namespace app::gui
