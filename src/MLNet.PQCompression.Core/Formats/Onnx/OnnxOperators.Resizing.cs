using System.Collections.Immutable;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Formats.Onnx;

/// <content>Resize and its forerunner Upsample.</content>
internal static partial class OnnxOperators
{
    private static Resize Resizing(OnnxNode node)
    {
        // Upsample and the first Resize had neither a region of interest nor a choice of coordinates.
        bool early = node.Type == "Upsample" || node.Opset < 11;
        Interpolation mode = node.Text("mode", "nearest") switch
        {
            "nearest" => Interpolation.Nearest,
            "linear" or "bilinear" => Interpolation.Linear,
            "cubic" => Interpolation.Cubic,
            var other => throw node.Unsupported($"mode {other} is not supported"),
        };
        ResizeCoordinates coordinates = node.Text("coordinate_transformation_mode", early ? "asymmetric" : "half_pixel") switch
        {
            "half_pixel" => ResizeCoordinates.HalfPixel,
            "pytorch_half_pixel" => ResizeCoordinates.PytorchHalfPixel,
            "asymmetric" => ResizeCoordinates.Asymmetric,
            "align_corners" => ResizeCoordinates.AlignCorners,
            "half_pixel_symmetric" => ResizeCoordinates.HalfPixelSymmetric,
            "tf_half_pixel_for_nn" => ResizeCoordinates.TfHalfPixelForNn,
            var other => throw node.Unsupported($"coordinate_transformation_mode {other} is not supported"),
        };
        ResizeRounding rounding = node.Text("nearest_mode", early ? "floor" : "round_prefer_floor") switch
        {
            "round_prefer_floor" => ResizeRounding.RoundPreferFloor,
            "round_prefer_ceil" => ResizeRounding.RoundPreferCeil,
            "floor" => ResizeRounding.Floor,
            "ceil" => ResizeRounding.Ceil,
            var other => throw node.Unsupported($"nearest_mode {other} is not supported"),
        };
        if (node.Int("exclude_outside", 0) != 0 || node.Int("antialias", 0) != 0 || node.Text("keep_aspect_ratio_policy", "stretch") != "stretch")
            throw node.Unsupported("exclude_outside, antialias and keep_aspect_ratio_policy are not supported");
        node.Float("extrapolation_value", 0);
        float cubic = node.Float("cubic_coeff_a", -0.75f);
        (ImmutableArray<float> scales, ImmutableArray<int> sizes) = Extent(node, early);
        return new(mode, coordinates, mode == Interpolation.Nearest ? rounding : ResizeRounding.RoundPreferFloor, scales, sizes, cubic);
    }

    /// <summary>The scales, or the sizes: whichever is the same for all images.</summary>
    private static (ImmutableArray<float> Scales, ImmutableArray<int> Sizes) Extent(OnnxNode node, bool early)
    {
        ProbedShape from = node.Shape(0);
        long[] axes = node.Ints("axes") ?? [.. Enumerable.Range(0, from.Rank).Select(i => (long)i)];
        if (node.Type == "Upsample" && node.Has("height_scale"))
            return ([1, 1, node.Float("height_scale", 1), node.Float("width_scale", 1)], []);
        (float[] First, float[] Second)? scales = early && node.Floats("scales") is { } own ? (own, own) : node.ProbedFloats(early ? 1 : 2);
        if (scales is { } given)
        {
            if (given.First.Length != axes.Length || !given.First.SequenceEqual(given.Second) || given.First.Any(s => !(s > 0 && s < MaxWindow)))
                throw node.Unsupported($"the scales [{string.Join(", ", given.First)}] depend on the input, or are out of range");
            float[] all = [.. Enumerable.Repeat(1f, from.Rank)];
            for (int i = 0; i < axes.Length; i++)
                all[node.Axis(axes[i], from.Rank)] = given.First[i];
            return ([.. all], []);
        }
        (long[] first, long[] second) = node.ProbedInts("sizes", 3) ?? throw node.Unsupported("it has neither scales nor sizes");
        if (first.Length != axes.Length || first.Concat(second).Any(s => s is < 1 or > int.MaxValue))
            throw node.Unsupported($"the sizes [{string.Join(", ", first)}] are out of range");
        var sizes = new int[from.Rank];
        float[] ratios = [.. Enumerable.Repeat(1f, from.Rank)];
        bool varies = false;
        for (int i = 0; i < axes.Length; i++)
        {
            int axis = node.Axis(axes[i], from.Rank);
            if ((first[i], second[i]) == (from.First[axis], from.Second[axis]) || from.HoldsBatch(axis))
                continue;
            (sizes[axis], ratios[axis]) = ((int)first[i], (float)first[i] / from.First[axis]);
            varies |= first[i] != second[i];
        }
        for (int i = 0; varies && i < axes.Length; i++)
            if (node.Axis(axes[i], from.Rank) is var axis && sizes[axis] > 0 && first[i] * from.Second[axis] != second[i] * from.First[axis])
                throw node.Unsupported("its sizes are in no fixed proportion to the input's");
        return varies ? ([.. ratios], []) : ([], [.. sizes]);
    }
}
