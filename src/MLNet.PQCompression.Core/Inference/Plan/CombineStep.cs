using System.Numerics.Tensors;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Inference.Plan;

/// <summary>A function of two values of one shape, or of a value and one number for each of its channels.</summary>
internal sealed unsafe class CombineStep(string name, BinaryFunction function, PlanValue a, PlanValue b, PlanValue y) : PlaneStep(name, y, a, b)
{
    public override string Kernel => "combine";

    protected override void Run(Workspace workspace, int image, int plane)
    {
        bool gate = b.Height == 1 && b.Width == 1;
        int length = gate ? 16 : a.Width * 16;
        for (int row = 0; row < a.Height; row++)
            for (int start = 0; start < a.Width; start += length / 16)
            {
                var p = new ReadOnlySpan<float>(workspace.Pixel(a, image, plane, row, start), length);
                var q = new ReadOnlySpan<float>(gate ? workspace.Plane(b, image, plane) : workspace.Pixel(b, image, plane, row, start), length);
                var target = new Span<float>(workspace.Pixel(Output!, image, plane, row, start), length);
                switch (function)
                {
                    case BinaryFunction.Add:
                        TensorPrimitives.Add(p, q, target);
                        break;
                    case BinaryFunction.Sub:
                        TensorPrimitives.Subtract(p, q, target);
                        break;
                    case BinaryFunction.Mul:
                        TensorPrimitives.Multiply(p, q, target);
                        break;
                    default:
                        throw new InvalidOperationException($"{function} has no blocked kernel.");
                }
            }
    }
}
