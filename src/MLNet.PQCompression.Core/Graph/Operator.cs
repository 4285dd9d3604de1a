using System.Collections.Immutable;

namespace MLNet.PQCompression.Graph;

/// <summary>What a <see cref="Node"/> computes: an operator of ONNX with its attributes and its constant shape-like inputs.</summary>
/// <remarks>
/// Inputs that ONNX passes as constant tensors but that are attributes in spirit (Clip's bounds, Reshape's shape, Pad's widths, Slice's
/// ranges, the axes of reductions) are held here, so that a node's inputs are activations and weights only.
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

/// <summary>
/// Transposed 2-D convolution, the gradient of a convolution with the same window: inputs x [N, C, H, W], weight [C, C_out/group, kh, kw] and optionally
/// bias [C_out]. y[o, i·stride + k·dilation − pad] += w[c, o, k]·x[c, i].
/// </summary>
/// <param name="Window">The window; its padding cuts the output.</param>
/// <param name="Group">Groups of channels.</param>
/// <param name="ExtraHeight">Rows added below the output (output_padding).</param>
/// <param name="ExtraWidth">Columns added to its right.</param>
public sealed record ConvTranspose(Window Window, int Group = 1, int ExtraHeight = 0, int ExtraWidth = 0) : Operator
{
    /// <inheritdoc/>
    public override string OnnxName => "ConvTranspose";

    /// <summary>Output height for an input height.</summary>
    internal long OutputHeight(int height) =>
        Size(height, Window.StrideY, Window.KernelHeight, Window.DilationY, ExtraHeight - (long)Window.PadTop - Window.PadBottom);

    /// <summary>Output width for an input width.</summary>
    internal long OutputWidth(int width) =>
        Size(width, Window.StrideX, Window.KernelWidth, Window.DilationX, ExtraWidth - (long)Window.PadLeft - Window.PadRight);

    private static long Size(long size, long stride, long kernel, long dilation, long added) => stride * (size - 1) + dilation * (kernel - 1) + 1 + added;
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

/// <summary>
/// Matrix product of a [.., M, K] and b [.., K, P], with numpy broadcasting of the dimensions before the last two. Optionally a bias [P] is added, which ONNX spells as an Add behind it.
/// </summary>
public sealed record MatMul : Operator
{
    /// <inheritdoc/>
    public override string OnnxName => "MatMul";
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

/// <summary>e^x normalised along <paramref name="Axis"/> (never negative).</summary>
public sealed record Softmax(int Axis = 1) : Operator
{
    /// <inheritdoc/>
    public override string OnnxName => "Softmax";
}

/// <summary>The logarithm of <see cref="Softmax"/>.</summary>
public sealed record LogSoftmax(int Axis = 1) : Operator
{
    /// <inheritdoc/>
    public override string OnnxName => "LogSoftmax";
}

/// <summary>Normalization of each channel of each image by its own mean and variance: inputs x [N, C, ...], scale [C], bias [C].</summary>
public sealed record InstanceNormalization(float Epsilon = 1e-5f) : Operator
{
    /// <inheritdoc/>
    public override string OnnxName => "InstanceNormalization";
}

/// <summary>Normalization over the dimensions from <paramref name="Axis"/> (never negative) on: inputs x, scale and optionally bias, broadcast to x.</summary>
public sealed record LayerNormalization(int Axis, float Epsilon = 1e-5f) : Operator
{
    /// <inheritdoc/>
    public override string OnnxName => "LayerNormalization";
}

/// <summary>Local response normalization across channels: y = x/(Bias + Alpha/Size·Σx²)^Beta over Size channels around each.</summary>
public sealed record Lrn(int Size, float Alpha = 1e-4f, float Beta = 0.75f, float Bias = 1) : Operator
{
    /// <inheritdoc/>
    public override string OnnxName => "LRN";
}
