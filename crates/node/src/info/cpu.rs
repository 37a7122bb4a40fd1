//! `# CPU`

use super::{Facts, Fields, human};

pub(super) fn write(facts: &Facts<'_>, fields: &mut Fields) {
    let usage = &facts.server.usage;
    for (name, us) in [
        ("used_cpu_sys", usage.cpu_system_us),
        ("used_cpu_user", usage.cpu_user_us),
        ("used_cpu_sys_children", usage.cpu_system_children_us),
        ("used_cpu_user_children", usage.cpu_user_children_us),
        ("used_cpu_sys_main_thread", usage.cpu_system_main_us),
        ("used_cpu_user_main_thread", usage.cpu_user_main_us),
    ] {
        fields.add(name, human::seconds(us));
    }
}
