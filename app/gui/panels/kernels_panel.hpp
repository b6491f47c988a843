// The kernel table: what each operation or kernel cost over a range of steps. Computed on a thread of its own
// when something it depends on has changed, and at most twice a second while a run goes on.
#pragma once

#include <memory>
#include <string>

#include "app/gui/panels/kernels_table.hpp"
#include "app/gui/shell/panel.hpp"
#include "app/gui/workbench/background.hpp"
#include "app/view/kernel_table.hpp"

namespace app::gui {

class KernelsPanel : public Panel {
 public:
  void draw(PanelContext& context) override;

 private:
  enum class Range { step, recent, selection, all };
  // What the table depends on.
  struct Question {
    std::uint64_t run_id = 0;
    std::uint64_t version = 0;
    Range range = Range::all;
    engine::Step step = -1;
    view::Selection selection;
    int by = 0;
    std::string filter;
    bool operator==(const Question&) const = default;
  };

  Question question(const PanelContext& context) const;
  view::KernelTableOptions options(const PanelContext& context) const;
  void refresh(PanelContext& context);
  void draw_toolbar(PanelContext& context);
  void draw_footer(PanelContext& context);
  std::string range_text(const PanelContext& context) const;

  Range range_ = Range::recent;
  int by_ = 0;  // 0 operations, 1 kernels
  std::string filter_text_;
  view::SpanFilter filter_;
  std::string filter_in_force_;  // the text of filter_, while filter_text_ is not understood
  std::string filter_error_;
  std::uint64_t table_run_ = 0;
  Question asked_;
  double asked_at_ = -1;
  Background<view::KernelTable> job_;
  // The job's own while there is one.
  std::shared_ptr<view::ChargedTimes> charged_ = std::make_shared<view::ChargedTimes>();
  view::KernelTable table_;
  KernelsTable table_view_;
  bool has_table_ = false;
};

}  // namespace app::gui
