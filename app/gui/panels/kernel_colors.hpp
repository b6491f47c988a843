// The colours of kernels by what the operation that launched them is for, looked up once per run.
#pragma once

#include <cstdint>
#include <vector>

#include "app/gui/widgets/ui.hpp"
#include "app/view/kernel_class.hpp"
#include "app/view/run_snapshot.hpp"

namespace app::gui {

Role role_of(view::KernelClass kernel_class);
// Copies and what is unattributed are hatched where there is room: no colour alone tells them apart.
bool is_hatched(view::KernelClass kernel_class);
// What is written on such a box.
ImU32 ink_on(Color box);

class KernelColors {
 public:
  void update(const view::RunSnapshot& run);
  view::KernelClass of_operation(std::int16_t operation) const;

 private:
  std::uint64_t run_id_ = 0;
  std::vector<view::KernelClass> operations_;
};

// Squares and names of the classes, from right to left at `right`; leaves out what would begin before `left`.
// `gpu`: those too that only a GPU's runs have.
void draw_kernel_legend(Ui& ui, ImDrawList& list, float left, float right, float y, bool gpu);

}  // namespace app::gui
