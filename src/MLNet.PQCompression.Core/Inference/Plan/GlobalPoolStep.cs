using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MLNet.PQCompression.Inference.Plan;

/// <summary>The mean or the maximum of each channel, 16 channels at a time.</summary>
internal sealed unsafe class GlobalPoolStep(string name, bool maximum, PlanValue x, PlanValue y) : PlaneStep(name, y, x)
{
    public override string Kernel => maximum ? "global max pool" : "global average pool";

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void Run(Workspace workspace, int image, int plane)
    {
        float* target = workspace.Plane(Output!, image, plane);
        for (int lane = 0; lane < 16; lane += Vector256<float>.Count)
        {
            Vector256<float> total = Vector256.Create(maximum ? float.NegativeInfinity : 0);
            for (int row = 0; row < x.Height; row++)
            {
                float* source = workspace.Pixel(x, image, plane, row, 0) + lane;
                Vector256<float> sum = Vector256.Load(source);
                for (int column = 1; column < x.Width; column++)
                {
                    Vector256<float> v = Vector256.Load(source + column * 16);
                    sum = maximum ? Vector256.Max(sum, v) : sum + v;
                }
                total = maximum ? Vector256.Max(total, sum) : total + sum;
            }
            if (!maximum)
                total /= Vector256.Create((float)(x.Height * x.Width));
            total.Store(target + lane);
        }
    }
}
