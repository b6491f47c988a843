#include "app/gui/panels/kernel_colors.hpp"

#include <array>

namespace app::gui {

Role role_of(view::KernelClass kernel_class) {
  switch (kernel_class) {
    case view::KernelClass::projection:
      return Role::kernel_projection;
    case view::KernelClass::attention:
      return Role::kernel_attention;
    case view::KernelClass::mlp:
      return Role::kernel_mlp;
    case view::KernelClass::head:
      return Role::kernel_head;
    case view::KernelClass::graph:
      return Role::lane_step;
    case view::KernelClass::unattributed:
      return Role::kernel_unattributed;
    case view::KernelClass::copy:
    case view::KernelClass::other:
      break;
  }
  return Role::sync;
}

bool is_hatched(view::KernelClass kernel_class) {
  return kernel_class == view::KernelClass::copy || kernel_class == view::KernelClass::unattributed;
}

ImU32 ink_on(Color box) {
  const Color dark = hex(0x0A0D12), light = hex(0xFFFFFF);
  return to_u32(contrast(box, dark) >= contrast(box, light) ? dark : light);
}

void KernelColors::update(const view::RunSnapshot& run) {
  if (run.run_id() == run_id_) return;
  run_id_ = run.run_id();
  operations_.clear();
  for (const std::string& name : run.run().operations) operations_.push_back(view::class_of_kernel(name));
}

view::KernelClass KernelColors::of_operation(std::int16_t operation) const {
  const bool known = operation >= 0 && static_cast<std::size_t>(operation) < operations_.size();
  return known ? operations_[static_cast<std::size_t>(operation)] : view::KernelClass::other;
}

void draw_kernel_legend(Ui& ui, ImDrawList& list, float left, float right, float y, bool gpu) {
  using Class = view::KernelClass;
  constexpr std::array kOfAll{Class::head, Class::mlp, Class::attention, Class::projection};
  constexpr std::array kOfGpus{Class::unattributed, Class::copy, Class::graph};
  std::vector<Class> classes(kOfAll.begin(), kOfAll.end());
  if (gpu) classes.insert(classes.end(), kOfGpus.begin(), kOfGpus.end());
  const float side = ui.px(10);
  for (const Class kernel_class : classes) {
    const char* name = view::name_of(kernel_class);
    const float text = label_width(ui, name, Face::ui, text_size::kCaption);
    const float start = right - text - side - ui.px(5);
    if (start < left) return;
    const ImVec2 low{start, y + ui.px(2)}, high{low.x + side, low.y + side};
    list.AddRectFilled(low, high, ui.u32(role_of(kernel_class)), ui.px(2));
    if (is_hatched(kernel_class))
      ui.hatch().fill(list, low, high, with_alpha(ui.color(Role::panel), 0.45), ui.metrics());
    if (kernel_class == Class::graph) list.AddRect(low, high, ui.u32(Role::text3), ui.px(2), 0, ui.px(1));
    label_at(ui, list, {start + side + ui.px(5), y}, name, Role::text2, Face::ui, text_size::kCaption);
    right = start - ui.px(12);
  }
}

}  // namespace app::gui
