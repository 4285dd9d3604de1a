namespace MLNet.PQCompression.Graph;

/// <summary>A function of one value, applied to each element of one input.</summary>
public abstract record PointwiseOperator : Operator
{
    private protected PointwiseOperator() { }
}

/// <summary>The pointwise functions of one input without parameters; their names are those of the ONNX operators.</summary>
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

    /// <summary>eˣ.</summary>
    Exp,

    /// <summary>The natural logarithm.</summary>
    Log,

    /// <summary>√x.</summary>
    Sqrt,

    /// <summary>|x|.</summary>
    Abs,

    /// <summary>−x.</summary>
    Neg,

    /// <summary>1/x.</summary>
    Reciprocal,

    /// <summary>The error function, 2/√π·∫₀ˣ e^(−t²) dt.</summary>
    Erf,

    /// <summary>ln(1 + eˣ).</summary>
    Softplus,

    /// <summary>x/(1 + |x|).</summary>
    Softsign,

    /// <summary>x·tanh(softplus(x)).</summary>
    Mish,

    /// <summary>The largest whole number not above x.</summary>
    Floor,

    /// <summary>The smallest whole number not below x.</summary>
    Ceil,

    /// <summary>The nearest whole number, halves to even.</summary>
    Round,

    /// <summary>−1, 0 or 1.</summary>
    Sign,

    /// <summary>The sine.</summary>
    Sin,

    /// <summary>The cosine.</summary>
    Cos,
}

/// <summary>A pointwise function without parameters.</summary>
public sealed record Unary(UnaryFunction Function) : PointwiseOperator
{
    /// <inheritdoc/>
    public override string OnnxName => Function.ToString();
}

/// <summary>min(max(x, Minimum), Maximum); ReLU6 is Clip(0, 6).</summary>
public sealed record Clip(float Minimum, float Maximum) : PointwiseOperator
{
    /// <inheritdoc/>
    public override string OnnxName => "Clip";
}

/// <summary>max(0, min(1, Alpha·x + Beta)).</summary>
public sealed record HardSigmoid(float Alpha = 0.2f, float Beta = 0.5f) : PointwiseOperator
{
    /// <inheritdoc/>
    public override string OnnxName => "HardSigmoid";
}

/// <summary>x for x ≥ 0, Alpha·x below.</summary>
public sealed record LeakyRelu(float Alpha = 0.01f) : PointwiseOperator
{
    /// <inheritdoc/>
    public override string OnnxName => "LeakyRelu";
}

/// <summary>x above Alpha, 0 elsewhere.</summary>
public sealed record ThresholdedRelu(float Alpha = 1) : PointwiseOperator
{
    /// <inheritdoc/>
    public override string OnnxName => "ThresholdedRelu";
}

/// <summary>x for x ≥ 0, Alpha·(eˣ − 1) below.</summary>
public sealed record Elu(float Alpha = 1) : PointwiseOperator
{
    /// <inheritdoc/>
    public override string OnnxName => "Elu";
}

/// <summary>Gamma·x for x > 0, Gamma·Alpha·(eˣ − 1) elsewhere.</summary>
public sealed record Selu(float Alpha = 1.6732632f, float Gamma = 1.0507009f) : PointwiseOperator
{
    /// <inheritdoc/>
    public override string OnnxName => "Selu";
}

/// <summary>max(0, x) + min(0, Alpha·(e^(x/Alpha) − 1)).</summary>
public sealed record Celu(float Alpha = 1) : PointwiseOperator
{
    /// <inheritdoc/>
    public override string OnnxName => "Celu";
}

/// <summary>x·Φ(x), Φ the normal distribution; with <paramref name="Tanh"/> its approximation x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³))).</summary>
public sealed record Gelu(bool Tanh = false) : PointwiseOperator
{
    /// <inheritdoc/>
    public override string OnnxName => "Gelu";
}

/// <summary>x/(1 + e⁻ˣ), which ONNX writes as Mul(x, Sigmoid(x)); it stands in compiled plans only.</summary>
internal sealed record Silu : PointwiseOperator
{
    /// <inheritdoc/>
    public override string OnnxName => "Silu";
}

/// <summary>The pointwise functions of two inputs; their names are those of the ONNX operators.</summary>
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

    /// <summary>The larger of a and b.</summary>
    Max,

    /// <summary>The smaller of a and b.</summary>
    Min,

    /// <summary>aᵇ.</summary>
    Pow,

    /// <summary>a for a ≥ 0, b·a below.</summary>
    PRelu,
}

/// <summary>A pointwise function of two inputs with numpy broadcasting; either may be an initializer.</summary>
public sealed record Binary(BinaryFunction Function) : Operator
{
    /// <inheritdoc/>
    public override string OnnxName => Function.ToString();
}
