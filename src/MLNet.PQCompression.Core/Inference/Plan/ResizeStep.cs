using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference.Operators;

namespace MLNet.PQCompression.Inference.Plan;

/// <summary>Height and width of an image resized, 16 channels at a time: for each row of the output the rows that it is made of are put together, then the columns.</summary>
internal sealed unsafe class ResizeStep : Step
{
    private const int RowsOfPart = 16;

    private readonly PlanValue _x, _y;
    private readonly ResizeTaps _rows, _columns;

    public ResizeStep(string name, Resize resize, PlanValue x, PlanValue y) : base(name, y, x) =>
        (_x, _y, _rows, _columns) = (x, y, ResizeTaps.Of(resize, 2, x.Height, y.Height), ResizeTaps.Of(resize, 3, x.Width, y.Width));

    public override string Kernel => "resize";

    public override long ThreadScratch => _rows.Taps == 1 ? 0 : (long)_x.Width * PlanValue.Block;

    private int Strips => (_y.Height + RowsOfPart - 1) / RowsOfPart;

    public override int Parts(Workspace workspace, int phase) => workspace.Count * _y.Planes * Strips;

    public override void Run(Workspace workspace, int phase, int part, int worker)
    {
        (int strip, int plane, int image) = (part % Strips, part / Strips % _y.Planes, part / Strips / _y.Planes);
        if (strip == 0)
            workspace.ClearBorder(_y, image, plane);
        for (int row = strip * RowsOfPart; row < Math.Min(_y.Height, (strip + 1) * RowsOfPart); row++)
        {
            float* source = workspace.Pixel(_x, image, plane, _rows.Positions[row * _rows.Taps], 0);
            if (_rows.Taps > 1)
                source = TogetherRows(workspace, image, plane, row, workspace.ThreadScratch(worker));
            TogetherColumns(source, workspace.Pixel(_y, image, plane, row, 0));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private float* TogetherRows(Workspace workspace, int image, int plane, int row, float* scratch)
    {
        for (int t = row * _rows.Taps; t < (row + 1) * _rows.Taps; t++)
        {
            float* source = workspace.Pixel(_x, image, plane, _rows.Positions[t], 0);
            Vector256<float> weight = Vector256.Create(_rows.Weights[t]);
            bool isFirst = t == row * _rows.Taps;
            for (int i = 0; i < _x.Width * PlanValue.Block; i += Vector256<float>.Count)
                Vector256.MultiplyAddEstimate(Vector256.Load(source + i), weight, isFirst ? Vector256<float>.Zero : Vector256.Load(scratch + i)).Store(scratch + i);
        }
        return scratch;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void TogetherColumns(float* source, float* target)
    {
        int taps = _columns.Taps;
        fixed (int* positions = _columns.Positions)
        fixed (float* weights = _columns.Weights)
            for (int column = 0; column < _y.Width; column++, target += PlanValue.Block)
            {
                float* first = source + (nint)positions[column * taps] * PlanValue.Block;
                if (taps == 1)
                {
                    Vector256.Load(first).Store(target);
                    Vector256.Load(first + 8).Store(target + 8);
                    continue;
                }
                Vector256<float> weight = Vector256.Create(weights[column * taps]), low = Vector256.Load(first) * weight, high = Vector256.Load(first + 8) * weight;
                for (int t = column * taps + 1; t < (column + 1) * taps; t++)
                {
                    float* pixel = source + (nint)positions[t] * PlanValue.Block;
                    weight = Vector256.Create(weights[t]);
                    low = Vector256.MultiplyAddEstimate(Vector256.Load(pixel), weight, low);
                    high = Vector256.MultiplyAddEstimate(Vector256.Load(pixel + 8), weight, high);
                }
                low.Store(target);
                high.Store(target + 8);
            }
    }
}
