// What this run is: model, policy, device, sampling, versions, file, sequences, notices and what was lost.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "app/gui/shell/panel.hpp"

namespace app::gui {

class TracePanel : public Panel {
 public:
  void draw(PanelContext& context) override;

 private:
  struct Fact {
    std::string name, value;
    Role role = Role::text;
  };
  struct Section {
    std::string title;
    std::vector<Fact> facts;
  };
  static Section profiling_section(const view::RunSnapshot& run);
  std::vector<Section> sections(const PanelContext& context) const;
  std::int64_t file_bytes(const PanelContext& context);
  void draw_sequences(PanelContext& context);

  std::int64_t bytes_ = -1;
  double looked_at_ = -1;
};

}  // namespace app::gui
