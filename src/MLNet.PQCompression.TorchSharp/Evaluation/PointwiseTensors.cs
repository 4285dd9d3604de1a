using MLNet.PQCompression.Graph;
using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.PQCompression.TorchSharp.Evaluation;

/// <summary>Functions of one value and of two.</summary>
internal static class PointwiseTensors
{
    /// <summary>f(x) of a pointwise operator.</summary>
    public static Tensor Apply(PointwiseOperator op, Tensor x)
    {
        switch (op)
        {
            case Unary unary:
                return Apply(unary.Function, x);
            case Clip clip:
                {
                    using Scalar minimum = clip.Minimum.ToScalar(), maximum = clip.Maximum.ToScalar();
                    return x.clamp(minimum, maximum);
                }
            case HardSigmoid hard:
                {
                    using Scalar alpha = hard.Alpha.ToScalar(), beta = hard.Beta.ToScalar();
                    return x.mul(alpha).add(beta).clamp(Scalars.Zero, Scalars.Alpha);
                }
            case LeakyRelu leaky:
                {
                    using Scalar slope = leaky.Alpha.ToScalar();
                    return x.leaky_relu(slope);
                }
            case ThresholdedRelu threshold:
                {
                    using Scalar alpha = threshold.Alpha.ToScalar();
                    return where(x.gt(alpha), x, zeros_like(x));
                }
            case Elu elu:
                return x.relu().add(Exponential(x, elu.Alpha, 1), Scalars.Alpha);
            case Celu celu:
                return x.relu().add(Exponential(x, celu.Alpha, 1 / celu.Alpha), Scalars.Alpha);
            case Selu selu:
                {
                    using Scalar gamma = selu.Gamma.ToScalar();
                    return x.relu().add(Exponential(x, selu.Alpha, 1), Scalars.Alpha).mul(gamma);
                }
            case Gelu { Tanh: false }:
                return x.gelu();
            case Gelu:
                {
                    using Scalar cubic = 0.044715f.ToScalar(), scale = float.Sqrt(2 / float.Pi).ToScalar();
                    return x.mul(Scalars.Half).mul(x.add(x.mul(x).mul(x).mul(cubic), Scalars.Alpha).mul(scale).tanh().add(Scalars.One));
                }
            default:
                throw new ArgumentException($"{op.OnnxName} is no function of one value.", nameof(op));
        }
    }

    /// <summary>f(a, b), with numpy broadcasting.</summary>
    public static Tensor Apply(BinaryFunction function, Tensor a, Tensor b) => function switch
    {
        BinaryFunction.Add => a.add(b, Scalars.Alpha),
        BinaryFunction.Sub => a.sub(b),
        BinaryFunction.Mul => a.mul(b),
        BinaryFunction.Div => a.div(b),
        BinaryFunction.Max => a.maximum(b),
        BinaryFunction.Min => a.minimum(b),
        BinaryFunction.Pow => a.pow(b),
        BinaryFunction.PRelu => a.relu().sub(a.neg().relu().mul(b)),
        _ => throw new ArgumentOutOfRangeException(nameof(function)),
    };

    private static Tensor Apply(UnaryFunction function, Tensor x) => function switch
    {
        UnaryFunction.Relu => x.relu(),
        UnaryFunction.Sigmoid => x.sigmoid(),
        UnaryFunction.HardSwish => x.hardswish(),
        UnaryFunction.Tanh => x.tanh(),
        UnaryFunction.Exp => x.exp(),
        UnaryFunction.Log => x.log(),
        UnaryFunction.Sqrt => x.sqrt(),
        UnaryFunction.Abs => x.abs(),
        UnaryFunction.Neg => x.neg(),
        UnaryFunction.Reciprocal => x.reciprocal(),
        UnaryFunction.Erf => x.erf(),
        UnaryFunction.Softplus => Softplus(x),
        UnaryFunction.Softsign => x.div(x.abs().add(Scalars.One)),
        UnaryFunction.Mish => x.mul(Softplus(x).tanh()),
        UnaryFunction.Floor => x.floor(),
        UnaryFunction.Ceil => x.ceil(),
        UnaryFunction.Round => x.round(),
        UnaryFunction.Sign => x.sign(),
        UnaryFunction.Sin => x.sin(),
        UnaryFunction.Cos => x.cos(),
        _ => throw new ArgumentOutOfRangeException(nameof(function)),
    };

    /// <summary>ln(eˣ + e⁰).</summary>
    private static Tensor Softplus(Tensor x) => x.logaddexp(zeros_like(x));

    /// <summary>scale·(e^(rate·x) − 1) below zero, 0 elsewhere.</summary>
    private static Tensor Exponential(Tensor x, float scale, float rate)
    {
        using Scalar factor = scale.ToScalar(), inner = (-rate).ToScalar();
        return x.neg().relu().mul(inner).expm1().mul(factor);
    }
}
