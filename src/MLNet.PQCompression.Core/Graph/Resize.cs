using System.Collections.Immutable;

namespace MLNet.PQCompression.Graph;

/// <summary>How values between the input's are found.</summary>
public enum Interpolation
{
    /// <summary>That of the nearest position.</summary>
    Nearest,

    /// <summary>Linear in each dimension.</summary>
    Linear,

    /// <summary>Cubic convolution in each dimension.</summary>
    Cubic,
}

/// <summary>Which position x of the input an output position x′ stands for; s is the scale.</summary>
public enum ResizeCoordinates
{
    /// <summary>(x′ + ½)/s − ½.</summary>
    HalfPixel,

    /// <summary>As <see cref="HalfPixel"/>, but 0 where the output has one position.</summary>
    PytorchHalfPixel,

    /// <summary>x′/s.</summary>
    Asymmetric,

    /// <summary>x′·(size − 1)/(size′ − 1).</summary>
    AlignCorners,

    /// <summary>As <see cref="HalfPixel"/>, but where size·s is no whole number the middles of input and output coincide.</summary>
    HalfPixelSymmetric,

    /// <summary>(x′ + ½)/s.</summary>
    TfHalfPixelForNn,
}

/// <summary>What the nearest position is.</summary>
public enum ResizeRounding
{
    /// <summary>The nearest whole number, halves down.</summary>
    RoundPreferFloor,

    /// <summary>The nearest whole number, halves up.</summary>
    RoundPreferCeil,

    /// <summary>The whole number below.</summary>
    Floor,

    /// <summary>The whole number above.</summary>
    Ceil,
}

/// <summary>Samples its input at other positions. All dimensions are given; those of scale 1 stay as they are.</summary>
/// <param name="Mode">How values between positions are found.</param>
/// <param name="Coordinates">Where output positions lie in the input.</param>
/// <param name="Rounding">What the nearest position is.</param>
/// <param name="Scales">Output size over input size for each dimension, or empty where sizes are given.</param>
/// <param name="Sizes">The size of each dimension, 0 where it is the input's, or empty where scales are given.</param>
/// <param name="CubicA">The coefficient a of cubic convolution.</param>
public sealed record Resize(
    Interpolation Mode, ResizeCoordinates Coordinates, ResizeRounding Rounding, ImmutableArray<float> Scales, ImmutableArray<int> Sizes, float CubicA = -0.75f) : Operator
{
    /// <inheritdoc/>
    public override string OnnxName => "Resize";

    /// <summary>The output's size along a dimension.</summary>
    public long OutputSize(int axis, int size) =>
        Sizes.Length == 0 ? (long)MathF.Floor(size * Scales[axis]) : Sizes[axis] == 0 ? size : Sizes[axis];

    /// <summary>The scale along a dimension, which is that of the sizes where they are given.</summary>
    public float Scale(int axis, int size) => Sizes.Length == 0 ? Scales[axis] : Sizes[axis] == 0 ? 1 : (float)Sizes[axis] / size;
}
