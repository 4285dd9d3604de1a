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
        float* origin = workspace.Plane(_x, image, plane);
        nint rowStep = (nint)_window.DilationY * _x.RowStride, columnStep = _window.DilationX * 16;
        Vector256<float> start = Vector256.Create(_rowCounts is null ? float.NegativeInfinity : 0);
        for (int oy = 0; oy < _y.Height; oy++)
        {
            int top = oy * _window.StrideY - _window.PadTop;
            float* y = workspace.Pixel(_y, image, plane, oy, 0);
            (int firstRow, int endRow) = Taps(top, _window.KernelHeight, _window.DilationY, _x.Height);
            for (int ox = 0; ox < _y.Width; ox++, y += 16)
            {
                int left = ox * _window.StrideX - _window.PadLeft;
                (int firstColumn, int endColumn) = Taps(left, _window.KernelWidth, _window.DilationX, _x.Width);
                float* x = origin + ((nint)top * _x.RowStride + left * 16);
                for (int lane = 0; lane < 16; lane += Vector256<float>.Count)
                {
                    Vector256<float> v = start;
                    for (int ky = firstRow; ky < endRow; ky++)
                    {
                        float* tap = x + ky * rowStep + firstColumn * columnStep + lane;
                        if (_rowCounts is null)
                            for (int kx = firstColumn; kx < endColumn; kx++, tap += columnStep)
                                v = Vector256.Max(v, Vector256.Load(tap));
                        else
                            for (int kx = firstColumn; kx < endColumn; kx++, tap += columnStep)
                                v += Vector256.Load(tap);
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
