// The rows of the kernel table: what there is room for, sorted by a click on a title. Runs on a GPU have
// columns for the bandwidth that was reached.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/gui/panels/kernel_colors.hpp"
#include "app/gui/shell/panel.hpp"
#include "app/view/kernel_table.hpp"

namespace app::gui {

class KernelsTable {
 public:
  // In the order last asked for.
  void sort(view::KernelTable& table) const { view::sort_rows(table, sorted_by_, descending_); }
  // `what` heads the names. Sorts the rows where a title was clicked.
  void draw(PanelContext& context, view::KernelTable& table, const char* what, float height);

 private:
  enum class Cell : std::uint8_t {
    name,
    device,
    total,
    share,
    speed,
    ceiling,
    calls,
    mean,
    p50,
    p95,
    p99,
    layers
  };
  struct Unit {
    double ns = 1e3;
    const char* name = "µs";
  };
  static Unit unit_for(std::int64_t largest);
  static std::string in_unit(std::int64_t ns, const Unit& unit);
  static std::vector<Cell> cells_for(const view::KernelTable& table, float room);
  void set_up(Ui& ui, const std::vector<Cell>& cells, const char* what);
  static void draw_headers(Ui& ui, const std::vector<Cell>& cells);
  void take_sorting(view::KernelTable& table);
  void draw_row(PanelContext& context, const view::KernelTable& table, const view::KernelRow& row,
                const std::vector<Cell>& cells);
  void draw_name(PanelContext& context, const view::KernelRow& row);
  void draw_cell(PanelContext& context, const view::KernelTable& table, const view::KernelRow& row,
                 Cell cell);
  void draw_layers(PanelContext& context, const view::KernelRow& row);
  view::KernelClass class_of(const view::KernelRow& row) const;

  KernelColors colors_;
  Unit total_, each_;
  view::KernelColumn sorted_by_ = view::KernelColumn::total;
  bool descending_ = true;
};

}  // namespace app::gui
