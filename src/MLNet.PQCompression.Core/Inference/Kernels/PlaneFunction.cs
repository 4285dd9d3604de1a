using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference.Operators;

namespace MLNet.PQCompression.Inference.Kernels;

/// <summary>A pointwise operator as steps apply it to stretches of blocked values, mostly right behind the layer that made them, while they are in the first-level cache.</summary>
internal abstract unsafe class PlaneFunction
{
    /// <summary>y = f(x) for a multiple of 8 values; x and y may be the same.</summary>
    public abstract void Apply(float* x, float* y, int count);

    /// <summary>The function of an operator where it is computed in registers and finite at 0, or null.</summary>
    public static PlaneFunction? InRegisters(Operator op) => Of(op) is var function && function is Spans ? null : function;

    /// <summary>The function of an operator.</summary>
    public static PlaneFunction Of(Operator op) => op switch
    {
        Unary { Function: UnaryFunction.Relu } => new Vectors<Relu256>(default),
        Unary { Function: UnaryFunction.Sigmoid } => new Vectors<Sigmoid256>(default),
        Unary { Function: UnaryFunction.HardSwish } => new Vectors<Gated256<HardSigmoid256>>(new(new(1f / 6, 0.5f))),
        Unary { Function: UnaryFunction.Tanh } => new Vectors<Tanh256>(default),
        Unary { Function: UnaryFunction.Exp } => new Vectors<Exp256>(default),
        Unary { Function: UnaryFunction.Erf } => new Vectors<Erf256>(default),
        Unary { Function: UnaryFunction.Mish } => new Vectors<Gated256<Mish256>>(default),
        HardSigmoid hard => new Vectors<HardSigmoid256>(new(hard.Alpha, hard.Beta)),
        LeakyRelu leaky => new Vectors<LeakyRelu256>(new(leaky.Alpha)),
        Clip clip => new Vectors<Clip256>(new(clip.Minimum, clip.Maximum)),
        Elu elu => new Vectors<Elu256>(new(1, elu.Alpha, 1)),
        Selu selu => new Vectors<Elu256>(new(selu.Gamma, selu.Gamma * selu.Alpha, 1)),
        Celu celu => new Vectors<Elu256>(new(1, celu.Alpha, celu.Alpha)),
        Gelu { Tanh: false } => new Vectors<Gated256<Normal256>>(default),
        Gelu => new Vectors<Gated256<NearlyNormal256>>(default),
        Silu => new Vectors<Gated256<Sigmoid256>>(default),
        _ => new Spans(op),
    };

    private sealed class Vectors<T>(T function) : PlaneFunction
        where T : struct, IVectorFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public override void Apply(float* x, float* y, int count)
        {
            T f = function;
            for (int i = 0; i < count; i += 8)
                f.Value(Vector256.Load(x + i)).Store(y + i);
        }
    }

    private sealed class Spans(Operator op) : PlaneFunction
    {
        public override void Apply(float* x, float* y, int count) => Pointwise.ApplyScalar(op, new(x, count), new(y, count));
    }
}
