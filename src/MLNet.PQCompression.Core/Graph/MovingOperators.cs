using System.Collections.Immutable;

namespace MLNet.PQCompression.Graph;

/// <summary>Joins its inputs along <paramref name="Axis"/> (never negative). A constant whose dimension 0 is 1 is repeated for every image.</summary>
public sealed record Concat(int Axis) : Operator
{
    /// <inheritdoc/>
    public override string OnnxName => "Concat";
}

/// <summary>What stands in the padding.</summary>
public enum PadMode
{
    /// <summary>One value.</summary>
    Constant,

    /// <summary>The values mirrored at the edge, which is not repeated.</summary>
    Reflect,

    /// <summary>The value at the edge.</summary>
    Edge,

    /// <summary>The values from the other end.</summary>
    Wrap,
}

/// <summary>Pads by Before[i] and After[i] elements on dimension i; a negative number cuts as many away.</summary>
public sealed record Pad(ImmutableArray<int> Before, ImmutableArray<int> After, float Value = 0, PadMode Mode = PadMode.Constant) : Operator
{
    /// <inheritdoc/>
    public override string OnnxName => "Pad";
}

/// <summary>One range of a <see cref="Slice"/>, with ONNX semantics: negative positions count from the end, values beyond it are clamped.</summary>
public readonly record struct SliceRange(int Axis, int Start, int End, int Step = 1);

/// <summary>Takes a strided range of some dimensions; axes are never negative and steps never 0.</summary>
public sealed record Slice(ImmutableArray<SliceRange> Ranges) : Operator
{
    /// <inheritdoc/>
    public override string OnnxName => "Slice";
}

/// <summary>Joins the dimensions before <paramref name="Axis"/> and those from it on: a matrix.</summary>
public sealed record Flatten(int Axis = 1) : Operator
{
    /// <inheritdoc/>
    public override string OnnxName => "Flatten";
}

/// <summary>A new shape of the same count; 0 copies a dimension, one -1 is worked out. Dimension 0 is the batch, or the batch times a number, and must be 0 or -1.</summary>
public sealed record Reshape(ImmutableArray<int> Shape) : Operator
{
    /// <inheritdoc/>
    public override string OnnxName => "Reshape";
}

/// <summary>Reorders dimensions: output dimension i is input dimension Permutation[i].</summary>
public sealed record Transpose(ImmutableArray<int> Permutation) : Operator
{
    /// <inheritdoc/>
    public override string OnnxName => "Transpose";
}

/// <summary>Takes the elements at <paramref name="Indices"/> along <paramref name="Axis"/>; a single index drops the dimension.</summary>
/// <param name="Axis">The dimension, never negative.</param>
/// <param name="Indices">Positions, negative ones counted from the end.</param>
/// <param name="DropsAxis">Whether the dimension goes; there is one index then.</param>
public sealed record Gather(int Axis, ImmutableArray<int> Indices, bool DropsAxis = false) : Operator
{
    /// <inheritdoc/>
    public override string OnnxName => "Gather";
}

/// <summary>Repeats dimensions of 1 to a shape; a dimension of 1 in it keeps the input's.</summary>
public sealed record Expand(ImmutableArray<int> Shape) : Operator
{
    /// <inheritdoc/>
    public override string OnnxName => "Expand";
}

/// <summary>Repeats the whole Repeats[i] times along dimension i.</summary>
public sealed record Tile(ImmutableArray<int> Repeats) : Operator
{
    /// <inheritdoc/>
    public override string OnnxName => "Tile";
}

/// <summary>Channels become pixels: N×C×H×W to N×C/b²×bH×bW.</summary>
/// <param name="BlockSize">b.</param>
/// <param name="ColumnsFirst">Whether a channel's number is (channel, row, column), ONNX's mode CRD, and not (row, column, channel), DCR.</param>
public sealed record DepthToSpace(int BlockSize, bool ColumnsFirst = false) : Operator
{
    /// <inheritdoc/>
    public override string OnnxName => "DepthToSpace";
}

/// <summary>Pixels become channels, numbered (row, column, channel): N×C×H×W to N×C·b²×H/b×W/b.</summary>
/// <param name="BlockSize">b.</param>
public sealed record SpaceToDepth(int BlockSize) : Operator
{
    /// <inheritdoc/>
    public override string OnnxName => "SpaceToDepth";
}

/// <summary>Which operators leave values as they are and only move, repeat or leave out some.</summary>
internal static class MovingOperators
{
    /// <summary>Whether an operator does no more than moving values; padding by a constant brings that.</summary>
    public static bool OnlyMoves(this Operator op) =>
        op is Concat or Pad or Slice or Flatten or Reshape or Transpose or Gather or Expand or Tile or DepthToSpace or SpaceToDepth or Resize { Mode: Interpolation.Nearest };
}
