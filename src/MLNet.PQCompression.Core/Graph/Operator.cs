using System.Collections.Immutable;

namespace MLNet.PQCompression.Graph;

/// <summary>What a <see cref="Node"/> computes: an operator of ONNX with its attributes and its constant shape-like inputs.</summary>
/// <remarks>
/// Inputs that ONNX passes as constant tensors but that are attributes in spirit (Clip's bounds, Reshape's shape, Pad's widths, Slice's
/// ranges, ReduceMean's axes) are held here, so that a node's inputs are activations and weights only.
/// </remarks>
public abstract record Operator
{
    private protected Operator() { }

    /// <summary>The ONNX operator type.</summary>
    public abstract string OnnxName { get; }
}

/// <summary>2-D convolution: inputs x [N, C, H, W], weight [C_out, C/group, kh, kw] and optionally bias [C_out].</summary>
public sealed record Conv(Window Window, int Group = 1) : Operator
{
    /// <inheritdoc/>
    public override string OnnxName => "Conv";
}

/// <summary>Batch normalization in evaluation mode: inputs x, scale, bias, mean, variance. y = scale·(x − mean)/√(variance + ε) + bias.</summary>
public sealed record BatchNormalization(float Epsilon = 1e-5f) : Operator
{
    /// <inheritdoc/>
    public override string OnnxName => "BatchNormalization";

    /// <summary>Whether scale and bias hold the statistics already: mean 0, variance 0 and ε = 1.</summary>
    internal bool IsFolded(Initializer mean, Initializer variance) => Epsilon == 1 && !mean.Values.ContainsAnyExcept(0) && !variance.Values.ContainsAnyExcept(0);

    /// <summary>The scale and bias that alone compute the same as scale, bias, mean and variance.</summary>
    internal (float[] Scale, float[] Bias) Folded(Initializer[] parameters)
    {
        (float[] scale, float[] bias) = (parameters[0].ToDense().ToArray(), parameters[1].ToDense().ToArray());
        ReadOnlySpan<float> mean = parameters[2].Values, variance = parameters[3].Values;
        for (int c = 0; c < scale.Length; c++)
        {
            double factor = scale[c] / Math.Sqrt((double)variance[c] + Epsilon);
            (scale[c], bias[c]) = ((float)factor, (float)(bias[c] - factor * mean[c]));
        }
        return (scale, bias);
    }
}

/// <summary>Affine map of a matrix: inputs a, b and optionally c. y = alpha·op(a)·op(b) + beta·c.</summary>
public sealed record Gemm(float Alpha = 1, float Beta = 1, bool TransposeA = false, bool TransposeB = false) : Operator
{
    /// <inheritdoc/>
    public override string OnnxName => "Gemm";
}

/// <summary>Matrix product of x [N, K] and b [K, M].</summary>
public sealed record MatMul : Operator
{
    /// <inheritdoc/>
    public override string OnnxName => "MatMul";
}

/// <summary>The pointwise functions of one input.</summary>
public enum UnaryFunction
{
    /// <summary>max(x, 0).</summary>
    Relu,

    /// <summary>1/(1 + e⁻ˣ).</summary>
    Sigmoid,

    /// <summary>x·max(0, min(1, x/6 + 1/2)).</summary>
    HardSwish,

    /// <summary>The hyperbolic tangent.</summary>
    Tanh,
}

/// <summary>A pointwise function without parameters.</summary>
public sealed record Unary(UnaryFunction Function) : Operator
{
    /// <inheritdoc/>
    public override string OnnxName => Function.ToString();
}

/// <summary>min(max(x, Minimum), Maximum); ReLU6 is Clip(0, 6).</summary>
public sealed record Clip(float Minimum, float Maximum) : Operator
{
    /// <inheritdoc/>
    public override string OnnxName => "Clip";
}

/// <summary>max(0, min(1, Alpha·x + Beta)).</summary>
public sealed record HardSigmoid(float Alpha = 0.2f, float Beta = 0.5f) : Operator
{
    /// <inheritdoc/>
    public override string OnnxName => "HardSigmoid";
}

/// <summary>x for x ≥ 0, Alpha·x below.</summary>
public sealed record LeakyRelu(float Alpha = 0.01f) : Operator
{
    /// <inheritdoc/>
    public override string OnnxName => "LeakyRelu";
}

/// <summary>The pointwise functions of two inputs.</summary>
public enum BinaryFunction
{
    /// <summary>a + b.</summary>
    Add,

    /// <summary>a − b.</summary>
    Sub,

    /// <summary>a·b.</summary>
    Mul,

    /// <summary>a/b.</summary>
    Div,
}

/// <summary>A pointwise function of two inputs with numpy broadcasting; either may be an initializer.</summary>
public sealed record Binary(BinaryFunction Function) : Operator
{
    /// <inheritdoc/>
    public override string OnnxName => Function.ToString();
}

/// <summary>Joins its inputs along <paramref name="Axis"/> (never negative).</summary>
public sealed record Concat(int Axis) : Operator
{
    /// <inheritdoc/>
    public override string OnnxName => "Concat";
}

/// <summary>Pads with a constant: Before[i] and After[i] elements on dimension i, none negative.</summary>
public sealed record Pad(ImmutableArray<int> Before, ImmutableArray<int> After, float Value = 0) : Operator
{
    /// <inheritdoc/>
    public override string OnnxName => "Pad";
}

/// <summary>One range of a <see cref="Slice"/>, with ONNX semantics: negative positions count from the end, values beyond it are clamped.</summary>
public readonly record struct SliceRange(int Axis, int Start, int End, int Step = 1);

/// <summary>Takes a strided range of some dimensions; axes are never negative and steps never below 1.</summary>
public sealed record Slice(ImmutableArray<SliceRange> Ranges) : Operator
{
    /// <inheritdoc/>
    public override string OnnxName => "Slice";
}

/// <summary>The largest value in each window; padding never wins.</summary>
public sealed record MaxPool(Window Window, bool CeilMode = false) : Operator
{
    /// <inheritdoc/>
    public override string OnnxName => "MaxPool";
}

/// <summary>The mean of each window, with or without the padding in the count.</summary>
public sealed record AveragePool(Window Window, bool CeilMode = false, bool CountIncludePad = false) : Operator
{
    /// <inheritdoc/>
    public override string OnnxName => "AveragePool";
}

/// <summary>The mean over H and W: N×C×H×W to N×C×1×1.</summary>
public sealed record GlobalAveragePool : Operator
{
    /// <inheritdoc/>
    public override string OnnxName => "GlobalAveragePool";
}

/// <summary>The maximum over H and W: N×C×H×W to N×C×1×1.</summary>
public sealed record GlobalMaxPool : Operator
{
    /// <inheritdoc/>
    public override string OnnxName => "GlobalMaxPool";
}

/// <summary>The mean over some axes (none negative).</summary>
public sealed record ReduceMean(ImmutableArray<int> Axes, bool KeepDimensions = true) : Operator
{
    /// <inheritdoc/>
    public override string OnnxName => "ReduceMean";
}

/// <summary>Joins the dimensions before <paramref name="Axis"/> and those from it on: a matrix.</summary>
public sealed record Flatten(int Axis = 1) : Operator
{
    /// <inheritdoc/>
    public override string OnnxName => "Flatten";
}

/// <summary>A new shape of the same count; 0 copies a dimension, one -1 is worked out. Dimension 0 is the batch and must be 0 or -1.</summary>
public sealed record Reshape(ImmutableArray<int> Shape) : Operator
{
    /// <inheritdoc/>
    public override string OnnxName => "Reshape";
}

/// <summary>Reorders dimensions: output dimension i is input dimension Permutation[i]. Dimension 0 stays the batch.</summary>
public sealed record Transpose(ImmutableArray<int> Permutation) : Operator
{
    /// <inheritdoc/>
    public override string OnnxName => "Transpose";
}

/// <summary>e^x normalised along <paramref name="Axis"/> (never negative).</summary>
public sealed record Softmax(int Axis = 1) : Operator
{
    /// <inheritdoc/>
    public override string OnnxName => "Softmax";
}

/// <summary>Local response normalization across channels: y = x/(Bias + Alpha/Size·Σx²)^Beta over Size channels around each.</summary>
public sealed record Lrn(int Size, float Alpha = 1e-4f, float Beta = 0.75f, float Bias = 1) : Operator
{
    /// <inheritdoc/>
    public override string OnnxName => "LRN";
}
