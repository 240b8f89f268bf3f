//! Which extensions an H.265 sequence parameter set ends in (ITU-T H.265 §7.3.2.2.1), before anybody parses them.
//!
//! `scuffle-h265` reserves room for as many palette entries as the screen-content extension claims, up to 2^63: the
//! allocation ends the process, which no `catch_unwind` prevents. So the set is walked to its extension flags here.

use h264_reader::rbsp::{BitRead, BitReader, BitReaderError, decode_nal};

type Walk<T = ()> = Result<T, BitReaderError>;

/// Whether the set can be walked, and claims none but the range extension.
pub(super) fn is_plain(nal: &[u8]) -> bool {
    // The header has two bytes; H.264's, which `decode_nal` takes off, one.
    nal.len() > 4 && decode_nal(nal).is_ok_and(|rbsp| walk(&mut BitReader::new(&*rbsp)).is_ok_and(|plain| plain))
}

fn walk(bits: &mut impl BitRead) -> Walk<bool> {
    bits.skip(8 + 4, "header, sps_video_parameter_set_id")?;
    let sub_layers: u32 = bits.read::<3, _>("sps_max_sub_layers_minus1")?;
    bits.skip(1, "sps_temporal_id_nesting_flag")?;
    profile_tier_level(bits, sub_layers)?;
    bits.read_ue("sps_seq_parameter_set_id")?;
    if bits.read_ue("chroma_format_idc")? == 3 {
        bits.skip(1, "separate_colour_plane_flag")?;
    }
    skip_ue(bits, 2)?;
    if bits.read_bit("conformance_window_flag")? {
        skip_ue(bits, 4)?;
    }
    skip_ue(bits, 2)?;
    let poc_bits = at_most(bits, 12, "log2_max_pic_order_cnt_lsb_minus4")? + 4;
    let ordered = bits.read_bit("sps_sub_layer_ordering_info_present_flag")?;
    skip_ue(bits, if ordered { 3 * (sub_layers + 1) } else { 3 })?;
    skip_ue(bits, 6)?;
    if bits.read_bit("scaling_list_enabled_flag")? && bits.read_bit("sps_scaling_list_data_present_flag")? {
        scaling_lists(bits)?;
    }
    bits.skip(2, "amp, sao")?;
    if bits.read_bit("pcm_enabled_flag")? {
        bits.skip(8, "pcm depths")?;
        skip_ue(bits, 2)?;
        bits.skip(1, "pcm_loop_filter_disabled_flag")?;
    }
    reference_sets(bits)?;
    if bits.read_bit("long_term_ref_pics_present_flag")? {
        for _ in 0..at_most(bits, 32, "num_long_term_ref_pics_sps")? {
            bits.skip(poc_bits + 1, "lt_ref_pic_poc_lsb_sps")?;
        }
    }
    bits.skip(2, "temporal_mvp, strong_intra_smoothing")?;
    if bits.read_bit("vui_parameters_present_flag")? {
        usability(bits, sub_layers)?;
    }
    if !bits.read_bit("sps_extension_present_flag")? {
        return Ok(true);
    }
    bits.skip(1, "sps_range_extension_flag")?;
    Ok(bits.read::<7, u32>("the other extensions")? == 0)
}

fn skip_ue(bits: &mut impl BitRead, count: u32) -> Walk {
    (0..count).try_for_each(|_| bits.read_ue("a number").map(drop))
}

/// A number that the standard bounds: beyond the bound, two parsers would go two ways.
fn at_most(bits: &mut impl BitRead, bound: u32, name: &'static str) -> Walk<u32> {
    let number = bits.read_ue(name)?;
    if number > bound { Err(BitReaderError::ExpGolombTooLarge(name)) } else { Ok(number) }
}

/// §7.3.3, with its general profile.
fn profile_tier_level(bits: &mut impl BitRead, sub_layers: u32) -> Walk {
    bits.skip(88 + 8, "general profile and level")?;
    let mut present = Vec::new();
    for _ in 0..sub_layers {
        present
            .push((bits.read_bit("sub_layer_profile_present_flag")?, bits.read_bit("sub_layer_level_present_flag")?));
    }
    if sub_layers > 0 {
        bits.skip(2 * (8 - sub_layers), "reserved")?;
    }
    for (profile, level) in present {
        bits.skip(if profile { 88 } else { 0 } + if level { 8 } else { 0 }, "sub-layer")?;
    }
    Ok(())
}

/// §7.3.4.
fn scaling_lists(bits: &mut impl BitRead) -> Walk {
    for size in 0..4_u32 {
        for _ in (0..6).step_by(if size == 3 { 3 } else { 1 }) {
            if !bits.read_bit("scaling_list_pred_mode_flag")? {
                bits.read_ue("scaling_list_pred_matrix_id_delta")?;
            } else {
                let coefficients = 64.min(1 << (4 + (size << 1)));
                skip_ue(bits, if size > 1 { coefficients + 1 } else { coefficients })?;
            }
        }
    }
    Ok(())
}

/// §7.3.7 for every set; at most 64 sets of at most 16 pictures (§7.4.8). How many pictures a predicted set has
/// follows from their order counts, which are not kept here: a set that is predicted from one is left to libav.
fn reference_sets(bits: &mut impl BitRead) -> Walk {
    let mut pictures = None;
    for set in 0..at_most(bits, 64, "num_short_term_ref_pic_sets")? {
        if set > 0 && bits.read_bit("inter_ref_pic_set_prediction_flag")? {
            let known: u32 = pictures.take().ok_or(BitReaderError::ExpGolombTooLarge("predicted twice"))?;
            bits.skip(1, "delta_rps_sign")?;
            bits.read_ue("abs_delta_rps_minus1")?;
            for _ in 0..=known {
                if !bits.read_bit("used_by_curr_pic_flag")? {
                    bits.skip(1, "use_delta_flag")?;
                }
            }
        } else {
            let count = at_most(bits, 16, "num_negative_pics")? + at_most(bits, 16, "num_positive_pics")?;
            for _ in 0..count {
                bits.read_ue("delta_poc_minus1")?;
                bits.skip(1, "used_by_curr_pic_flag")?;
            }
            pictures = Some(count);
        }
    }
    Ok(())
}

/// §E.2.1.
fn usability(bits: &mut impl BitRead, sub_layers: u32) -> Walk {
    if bits.read_bit("aspect_ratio_info_present_flag")? && bits.read::<8, u32>("aspect_ratio_idc")? == 255 {
        bits.skip(32, "sar_width, sar_height")?;
    }
    if bits.read_bit("overscan_info_present_flag")? {
        bits.skip(1, "overscan_appropriate_flag")?;
    }
    if bits.read_bit("video_signal_type_present_flag")? {
        bits.skip(4, "video_format, video_full_range_flag")?;
        if bits.read_bit("colour_description_present_flag")? {
            bits.skip(24, "colour description")?;
        }
    }
    if bits.read_bit("chroma_loc_info_present_flag")? {
        skip_ue(bits, 2)?;
    }
    bits.skip(3, "neutral chroma, field sequence, frame field info")?;
    if bits.read_bit("default_display_window_flag")? {
        skip_ue(bits, 4)?;
    }
    if bits.read_bit("vui_timing_info_present_flag")? {
        bits.skip(64, "num_units_in_tick, time_scale")?;
        if bits.read_bit("vui_poc_proportional_to_timing_flag")? {
            bits.read_ue("vui_num_ticks_poc_diff_one_minus1")?;
        }
        if bits.read_bit("vui_hrd_parameters_present_flag")? {
            buffering(bits, sub_layers)?;
        }
    }
    if bits.read_bit("bitstream_restriction_flag")? {
        bits.skip(3, "tiles, motion vectors, restricted lists")?;
        skip_ue(bits, 5)?;
    }
    Ok(())
}

/// §E.2.2, with its common information.
fn buffering(bits: &mut impl BitRead, sub_layers: u32) -> Walk {
    let kinds = [bits.read_bit("nal_hrd_parameters_present_flag")?, bits.read_bit("vcl_hrd_parameters_present_flag")?];
    let mut by_part = false;
    if kinds.contains(&true) {
        by_part = bits.read_bit("sub_pic_hrd_params_present_flag")?;
        bits.skip(if by_part { 19 } else { 0 }, "sub-picture delays")?;
        bits.skip(8, "bit_rate_scale, cpb_size_scale")?;
        bits.skip(if by_part { 4 } else { 0 }, "cpb_size_du_scale")?;
        bits.skip(15, "delay lengths")?;
    }
    for _ in 0..=sub_layers {
        let fixed = bits.read_bit("fixed_pic_rate_general_flag")?;
        let mut low_delay = false;
        if fixed || bits.read_bit("fixed_pic_rate_within_cvs_flag")? {
            bits.read_ue("elemental_duration_in_tc_minus1")?;
        } else {
            low_delay = bits.read_bit("low_delay_hrd_flag")?;
        }
        let buffers = if low_delay { 1 } else { at_most(bits, 31, "cpb_cnt_minus1")? + 1 };
        for _ in 0..kinds.iter().filter(|there| **there).count() {
            for _ in 0..buffers {
                skip_ue(bits, if by_part { 4 } else { 2 })?;
                bits.skip(1, "cbr_flag")?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The smallest set that the syntax allows, and `tail` after its usability flag. Reserved bits are ones, so that
    /// nothing needs an emulation prevention byte.
    fn set(tail: &str) -> Vec<u8> {
        let profile = format!("00000001{}", "1".repeat(80));
        let sizes = "1 010 0001000 0001000 0 1 1 1 0 111 111111";
        let tools = "0 00 0 1 0 00 0";
        let text = format!("0100001000000001 0000 000 1 {profile} 01011101 {sizes} {tools} {tail} 1");
        let bits: Vec<u8> = text.bytes().filter(|byte| *byte != b' ').map(|byte| byte - b'0').collect();
        bits.chunks(8).map(|byte| byte.iter().enumerate().fold(0, |all, (at, bit)| all | bit << (7 - at))).collect()
    }

    #[test]
    fn extensions_but_for_the_range_are_refused() {
        assert!(is_plain(&set("0")), "none");
        assert!(is_plain(&set("1 10000000 000000000")), "the range extension");
        // Palette mode with as many entries as thirty bits can say: scuffle-h265 would ask for 24 GB, three times.
        let many = format!("{zeros}1{zeros}", zeros = "0".repeat(30));
        assert!(!is_plain(&set(&format!("1 00010000 0 1 {many} 1 1 {many}"))), "screen content");
        for extension in ["1 01000000", "1 00100000", "1 00000001"] {
            assert!(!is_plain(&set(extension)), "{extension}");
        }
        assert!(!is_plain(b"\x42\x01") && !is_plain(&[0xFF; 40]), "no set at all");
    }
}
