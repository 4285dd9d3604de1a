using System.Runtime.Intrinsics;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Distillation.Managed.Operations;

/// <summary>A function of one variable and its derivative, sixteen at a time.</summary>
internal interface IPointwiseFunction
{
    /// <summary>f(x).</summary>
    Vector512<float> Value(Vector512<float> x);

    /// <summary>f′(x), given x and y = f(x); at a kink, the derivative from the side where the function is flat.</summary>
    Vector512<float> Derivative(Vector512<float> x, Vector512<float> y);
}

/// <summary>max(x, 0).</summary>
internal readonly struct ReluFunction : IPointwiseFunction
{
    public Vector512<float> Value(Vector512<float> x) => Vector512.Max(x, Vector512<float>.Zero);

    public Vector512<float> Derivative(Vector512<float> x, Vector512<float> y) =>
        Vector512.ConditionalSelect(Vector512.GreaterThan(x, Vector512<float>.Zero), Vector512<float>.One, Vector512<float>.Zero);
}

/// <summary>min(max(x, lower), upper).</summary>
internal readonly struct ClipFunction(float lower, float upper) : IPointwiseFunction
{
    public Vector512<float> Value(Vector512<float> x) => Vector512.Min(Vector512.Max(x, Vector512.Create(lower)), Vector512.Create(upper));

    public Vector512<float> Derivative(Vector512<float> x, Vector512<float> y) =>
        Vector512.ConditionalSelect(
            Vector512.GreaterThan(x, Vector512.Create(lower)) & Vector512.LessThan(x, Vector512.Create(upper)), Vector512<float>.One, Vector512<float>.Zero);
}

/// <summary>x, or slope·x below zero.</summary>
internal readonly struct LeakyReluFunction(float slope) : IPointwiseFunction
{
    public Vector512<float> Value(Vector512<float> x) =>
        Vector512.ConditionalSelect(Vector512.GreaterThan(x, Vector512<float>.Zero), x, x * slope);

    public Vector512<float> Derivative(Vector512<float> x, Vector512<float> y) =>
        Vector512.ConditionalSelect(Vector512.GreaterThan(x, Vector512<float>.Zero), Vector512<float>.One, Vector512.Create(slope));
}

/// <summary>max(0, min(1, alpha·x + beta)).</summary>
internal readonly struct HardSigmoidFunction(float alpha, float beta) : IPointwiseFunction
{
    public Vector512<float> Value(Vector512<float> x) =>
        Vector512.Min(Vector512.Max(x * alpha + Vector512.Create(beta), Vector512<float>.Zero), Vector512<float>.One);

    public Vector512<float> Derivative(Vector512<float> x, Vector512<float> y) =>
        Vector512.ConditionalSelect(
            Vector512.GreaterThan(y, Vector512<float>.Zero) & Vector512.LessThan(y, Vector512<float>.One), Vector512.Create(alpha), Vector512<float>.Zero);
}

/// <summary>x·max(0, min(1, x/6 + 1/2)).</summary>
internal readonly struct HardSwishFunction : IPointwiseFunction
{
    private static readonly HardSigmoidFunction Gate = new(1 / 6f, 0.5f);

    public Vector512<float> Value(Vector512<float> x) => x * Gate.Value(x);

    public Vector512<float> Derivative(Vector512<float> x, Vector512<float> y)
    {
        Vector512<float> gate = Gate.Value(x);
        return gate + x * Gate.Derivative(x, gate);
    }
}

/// <summary>1/(1 + e⁻ˣ).</summary>
internal readonly struct SigmoidFunction : IPointwiseFunction
{
    public Vector512<float> Value(Vector512<float> x) => Vector512<float>.One / (Vector512<float>.One + Vector512.Exp(-x));

    public Vector512<float> Derivative(Vector512<float> x, Vector512<float> y) => y * (Vector512<float>.One - y);
}

/// <summary>The hyperbolic tangent, as 2·sigmoid(2x) − 1.</summary>
internal readonly struct TanhFunction : IPointwiseFunction
{
    public Vector512<float> Value(Vector512<float> x) =>
        Vector512.Create(2f) / (Vector512<float>.One + Vector512.Exp(x * -2f)) - Vector512<float>.One;

    public Vector512<float> Derivative(Vector512<float> x, Vector512<float> y) => Vector512<float>.One - y * y;
}

/// <summary>Finds the function of an operator.</summary>
internal static class PointwiseFunctions
{
    /// <summary>The operation of a pointwise operator with one input, or null where the operator is no such.</summary>
    public static TrainingOperation? TryCreate(Operator op, ValueSlot input, ValueSlot output) => op switch
    {
        Unary { Function: UnaryFunction.Relu } => Create(new ReluFunction()),
        Unary { Function: UnaryFunction.Sigmoid } => Create(new SigmoidFunction()),
        Unary { Function: UnaryFunction.HardSwish } => Create(new HardSwishFunction()),
        Unary { Function: UnaryFunction.Tanh } => Create(new TanhFunction()),
        Clip clip => Create(new ClipFunction(clip.Minimum, clip.Maximum)),
        HardSigmoid h => Create(new HardSigmoidFunction(h.Alpha, h.Beta)),
        LeakyRelu leaky => Create(new LeakyReluFunction(leaky.Alpha)),
        _ => null,
    } is { } create ? create(input, output) : null;

    private static Func<ValueSlot, ValueSlot, TrainingOperation> Create<T>(T function)
        where T : struct, IPointwiseFunction => (input, output) => new PointwiseOperation<T>(function, input, output);
}
