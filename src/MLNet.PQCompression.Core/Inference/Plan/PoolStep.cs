using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference.Operators;

namespace MLNet.PQCompression.Inference.Plan;

/// <summary>The maximum or the mean over sliding windows, 16 channels at a time.</summary>
internal sealed unsafe class PoolStep : PlaneStep
{
    private readonly Window _window;
    private readonly PlanValue _x, _y;
    private readonly int[]? _rowCounts, _columnCounts;

    /// <summary>A maximum.</summary>
    public PoolStep(string name, MaxPool pool, PlanValue x, PlanValue y) : base(name, y, x) => (_window, _x, _y) = (pool.Window, x, y);

    /// <summary>A mean.</summary>
    public PoolStep(string name, AveragePool pool, PlanValue x, PlanValue y) : base(name, y, x)
    {
        Window w = _window = pool.Window;
        (_x, _y) = (x, y);
        _rowCounts = Pooling.Counts(y.Height, x.Height, w.KernelHeight, w.StrideY, w.DilationY, w.PadTop, w.PadBottom, pool.CountIncludePad);
        _columnCounts = Pooling.Counts(y.Width, x.Width, w.KernelWidth, w.StrideX, w.DilationX, w.PadLeft, w.PadRight, pool.CountIncludePad);
    }

    public override string Kernel => _rowCounts is null ? "max pool" : "average pool";

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void Run(Workspace workspace, int image, int plane)
    {
        for (int oy = 0; oy < _y.Height; oy++)
        {
            float* y = workspace.Pixel(_y, image, plane, oy, 0);
            (int firstRow, int endRow) = Taps(oy * _window.StrideY - _window.PadTop, _window.KernelHeight, _window.DilationY, _x.Height);
            for (int ox = 0; ox < _y.Width; ox++, y += 16)
            {
                int left = ox * _window.StrideX - _window.PadLeft;
                (int firstColumn, int endColumn) = Taps(left, _window.KernelWidth, _window.DilationX, _x.Width);
                float* x = workspace.Pixel(_x, image, plane, oy * _window.StrideY - _window.PadTop, left);
                for (int lane = 0; lane < 16; lane += Vector256<float>.Count)
                {
                    Vector256<float> v = Vector256.Create(_rowCounts is null ? float.NegativeInfinity : 0);
                    for (int ky = firstRow; ky < endRow; ky++)
                        for (int kx = firstColumn; kx < endColumn; kx++)
                        {
                            Vector256<float> tap = Vector256.Load(x + (nint)ky * _window.DilationY * _x.RowStride + kx * _window.DilationX * 16 + lane);
                            v = _rowCounts is null ? Vector256.Max(v, tap) : v + tap;
                        }
                    if (_rowCounts is not null)
                        v /= Vector256.Create((float)(_rowCounts[oy] * _columnCounts![ox]));
                    v.Store(y + lane);
                }
            }
        }
    }

    /// <summary>The taps that fall inside the input.</summary>
    private static (int First, int End) Taps(int start, int kernel, int dilation, int size)
    {
        int first = start >= 0 ? 0 : (-start + dilation - 1) / dilation;
        int end = start >= size ? 0 : Math.Min(kernel, (size - 1 - start) / dilation + 1);
        return (first, end);
    }
}
