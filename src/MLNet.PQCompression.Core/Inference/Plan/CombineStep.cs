using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference.Kernels;

namespace MLNet.PQCompression.Inference.Plan;

/// <summary>An operand of a <see cref="CombineStep"/>: a value of the output's shape, a value of one pixel, or a constant for each channel.</summary>
/// <param name="Value">The value, or null.</param>
/// <param name="Channels">The constant, filled up to whole blocks, where there is no value.</param>
internal readonly record struct CombineOperand(PlanValue? Value, float[]? Channels)
{
    /// <summary>Whether a number for each channel stands for all pixels of the output.</summary>
    public bool IsGateOf(PlanValue output) => Value is null || Value.Height * Value.Width == 1 && output.Height * output.Width > 1;
}

/// <summary>A function of two values, and a function of its result.</summary>
internal sealed unsafe class CombineStep(string name, BinaryFunction function, CombineOperand a, CombineOperand b, PlanValue y, PlaneFunction? then)
    : PlaneStep(name, y, [.. new[] { a.Value, b.Value }.OfType<PlanValue>()])
{
    public override string Kernel => "combine";

    public override long WeightBytes => ((a.Channels?.Length ?? 0L) + (b.Channels?.Length ?? 0L)) * sizeof(float);

    /// <summary>Whether there is a blocked kernel.</summary>
    public static bool Supports(BinaryFunction function) => function != BinaryFunction.Pow;

    protected override void Run(Workspace workspace, int image, int plane)
    {
        switch (function)
        {
            case BinaryFunction.Add:
                Run<AddFunction>(workspace, image, plane);
                break;
            case BinaryFunction.Sub:
                Run<SubFunction>(workspace, image, plane);
                break;
            case BinaryFunction.Mul:
                Run<MulFunction>(workspace, image, plane);
                break;
            case BinaryFunction.Div:
                Run<DivFunction>(workspace, image, plane);
                break;
            case BinaryFunction.Max:
                Run<MaxFunction>(workspace, image, plane);
                break;
            case BinaryFunction.Min:
                Run<MinFunction>(workspace, image, plane);
                break;
            case BinaryFunction.PRelu:
                Run<PReluFunction>(workspace, image, plane);
                break;
            default:
                throw new InvalidOperationException($"{function} has no blocked kernel.");
        }
        ClearAbsentChannels(workspace, image, plane);
    }

    private void Run<T>(Workspace workspace, int image, int plane)
        where T : struct, ITwoOperands
    {
        PlanValue y = Output!;
        bool flat = y.IsFlat && a.Value is null or { IsFlat: true } && b.Value is null or { IsFlat: true };
        int rows = flat ? 1 : y.Height, length = (flat ? y.Height * y.Width : y.Width) * PlanValue.Block;
        fixed (float* left = a.Channels, right = b.Channels)
            for (int row = 0; row < rows; row++)
            {
                float* target = workspace.Pixel(y, image, plane, row, 0);
                Row<T>(At(workspace, a, left, image, plane, row), a.IsGateOf(y) ? 0 : PlanValue.Block, At(workspace, b, right, image, plane, row), b.IsGateOf(y) ? 0 : PlanValue.Block, target, length);
                then?.Apply(target, target, length);
            }
    }

    private float* At(Workspace workspace, CombineOperand operand, float* channels, int image, int plane, int row) =>
        operand.Value is null ? channels + plane * PlanValue.Block
        : operand.IsGateOf(Output!) ? workspace.Plane(operand.Value, image, plane)
        : workspace.Pixel(operand.Value, image, plane, row, 0);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Row<T>(float* a, int stepA, float* b, int stepB, float* y, int length)
        where T : struct, ITwoOperands
    {
        for (int i = 0; i < length; i += PlanValue.Block, a += stepA, b += stepB)
        {
            T.Value(Vector256.Load(a), Vector256.Load(b)).Store(y + i);
            T.Value(Vector256.Load(a + 8), Vector256.Load(b + 8)).Store(y + i + 8);
        }
    }

    private interface ITwoOperands
    {
        static abstract Vector256<float> Value(Vector256<float> a, Vector256<float> b);
    }

    private readonly struct AddFunction : ITwoOperands
    {
        public static Vector256<float> Value(Vector256<float> a, Vector256<float> b) => a + b;
    }

    private readonly struct SubFunction : ITwoOperands
    {
        public static Vector256<float> Value(Vector256<float> a, Vector256<float> b) => a - b;
    }

    private readonly struct MulFunction : ITwoOperands
    {
        public static Vector256<float> Value(Vector256<float> a, Vector256<float> b) => a * b;
    }

    private readonly struct DivFunction : ITwoOperands
    {
        public static Vector256<float> Value(Vector256<float> a, Vector256<float> b) => a / b;
    }

    private readonly struct MaxFunction : ITwoOperands
    {
        public static Vector256<float> Value(Vector256<float> a, Vector256<float> b) => Vector256.Max(a, b);
    }

    private readonly struct MinFunction : ITwoOperands
    {
        public static Vector256<float> Value(Vector256<float> a, Vector256<float> b) => Vector256.Min(a, b);
    }

    private readonly struct PReluFunction : ITwoOperands
    {
        public static Vector256<float> Value(Vector256<float> a, Vector256<float> b) => Vector256.ConditionalSelect(Vector256.LessThan(a, Vector256<float>.Zero), a * b, a);
    }
}
