using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Tests.Inference;

/// <summary>Small networks of the kinds that the session has to run.</summary>
public enum SampleModel
{
    BasicBlocks,
    Bottlenecks,
    CifarShortcuts,
    Mobile,
    Dense,
    OddWindows,
    Classic,
    NarrowChannels,
    Wide,
}

internal static class SampleModels
{
    public static ModelGraph Make(SampleModel model) => model switch
    {
        SampleModel.BasicBlocks => BasicBlocks(),
        SampleModel.Bottlenecks => Bottlenecks(),
        SampleModel.CifarShortcuts => CifarShortcuts(),
        SampleModel.Mobile => Mobile(),
        SampleModel.Dense => DenseBlock(),
        SampleModel.OddWindows => OddWindows(),
        SampleModel.Classic => Classic(),
        SampleModel.NarrowChannels => NarrowChannels(),
        _ => Wide(),
    };

    private static ModelGraph BasicBlocks()
    {
        var g = new GraphMaker(1);
        string x = g.Relu(g.Normalize(g.Conv("x", 3, 32, Window.Square(7, 2, 3)), 32));
        x = g.Add(new MaxPool(Window.Square(3, 2, 1)), x);
        x = Block(x, 32, 32, 1, 9);
        x = Block(x, 32, 48, 2, 9);
        x = Block(x, 48, 48, 1, 18);
        x = g.Add(new Flatten(), g.Add(new GlobalAveragePool(), x));
        return g.Build(g.Linear(x, 48, 21, 4), 3, 56, 56);

        string Block(string x, int inputs, int outputs, int stride, int d)
        {
            string y = g.Relu(g.Normalize(g.Conv(x, inputs, outputs, Window.Square(3, stride, 1), blockSize: d), outputs));
            y = g.Normalize(g.Conv(y, outputs, outputs, Window.Square(3, 1, 1), blockSize: d), outputs);
            if (stride > 1)
                x = g.Normalize(g.Conv(x, inputs, outputs, Window.Square(1, stride), blockSize: 4), outputs);
            return g.Relu(g.Add(new Binary(BinaryFunction.Add), y, x));
        }
    }

    private static ModelGraph Bottlenecks()
    {
        var g = new GraphMaker(2);
        string x = g.Relu(g.Conv("x", 3, 64, Window.Square(3, 2, 1), bias: true));
        for (int i = 0; i < 2; i++)
        {
            string y = g.Relu(g.Normalize(g.Conv(x, 64, 16, Window.Square(1), blockSize: 8, codewords: 300), 16));
            y = g.Relu(g.Normalize(g.Conv(y, 16, 16, Window.Square(3, 1, 1), blockSize: 18), 16));
            y = g.Normalize(g.Conv(y, 16, 64, Window.Square(1), blockSize: 4), 64);
            x = g.Relu(g.Add(new Binary(BinaryFunction.Add), x, y));
        }
        x = g.Add(new Reduce(ReduceFunction.Mean, [2, 3], false), x);
        return g.Build(g.Add(new Softmax(), g.Linear(x, 64, 10, 8)), 3, 30, 26);
    }

    private static ModelGraph CifarShortcuts()
    {
        var g = new GraphMaker(3);
        string x = g.Relu(g.Normalize(g.Conv("x", 3, 16, Window.Square(3, 1, 1)), 16));
        string y = g.Relu(g.Normalize(g.Conv(x, 16, 32, Window.Square(3, 2, 1), blockSize: 9), 32));
        y = g.Normalize(g.Conv(y, 32, 32, Window.Square(3, 1, 1), blockSize: 9), 32);
        string shortcut = g.Add(new Slice([new(2, 0, int.MaxValue, 2), new(3, 0, int.MaxValue, 2)]), x);
        shortcut = g.Add(new Pad([0, 8, 0, 0], [0, 8, 0, 0]), shortcut);
        x = g.Relu(g.Add(new Binary(BinaryFunction.Add), y, shortcut));
        x = g.Add(new Flatten(), g.Add(new AveragePool(Window.Square(16, 16)), x));
        return g.Build(g.Linear(x, 32, 10), 3, 32, 32);
    }

    private static ModelGraph Mobile()
    {
        var g = new GraphMaker(4);
        string x = g.Add(new Unary(UnaryFunction.HardSwish), g.Normalize(g.Conv("x", 3, 16, Window.Square(3, 2, 1)), 16));
        string y = g.Add(new Clip(0, 6), g.Normalize(g.Conv(x, 16, 40, Window.Square(1), blockSize: 4), 40));
        y = g.Add(new Clip(0, 6), g.Normalize(g.Conv(y, 40, 40, Window.Square(5, 1, 2), group: 40), 40));
        string gate = g.Relu(g.Conv(g.Add(new GlobalAveragePool(), y), 40, 8, Window.Square(1), bias: true));
        gate = g.Add(new HardSigmoid(1f / 6), g.Conv(gate, 8, 40, Window.Square(1), bias: true));
        y = g.Add(new Binary(BinaryFunction.Mul), gate, y);
        y = g.Normalize(g.Conv(y, 40, 16, Window.Square(1), blockSize: 8), 16);
        x = g.Add(new Binary(BinaryFunction.Add), x, y);
        x = g.Relu(g.Conv(x, 16, 32, Window.Square(3, 2, 1), group: 4));
        x = g.Add(new Reshape([0, -1]), g.Add(new GlobalMaxPool(), x));
        return g.Build(g.Linear(x, 32, 12, 2), 3, 33, 29);
    }

    private static ModelGraph DenseBlock()
    {
        var g = new GraphMaker(5);
        string x = g.Conv("x", 3, 24, Window.Square(3, 1, 1));
        int channels = 24;
        for (int i = 0; i < 3; i++, channels += 12)
        {
            string y = g.Relu(g.Normalize(x, channels));
            y = g.Conv(y, channels, 12, Window.Square(3, 1, 1), blockSize: 9);
            x = g.Add(new Concat(1), x, y);
        }
        x = g.Add(new AveragePool(Window.Square(2, 2)), g.Relu(g.Normalize(x, channels)));
        x = g.Add(new Transpose([0, 2, 3, 1]), x);
        return g.Build(g.Add(new Reduce(ReduceFunction.Mean, [1, 2], false), x), 3, 12, 15);
    }

    private static ModelGraph OddWindows()
    {
        var g = new GraphMaker(6);
        string x = g.Relu(g.Conv("x", 5, 20, new Window(3, 2, 2, 1, 0, 1, 1, 0), bias: true));
        x = g.Add(new LeakyRelu(0.2f), g.Conv(x, 20, 33, new Window(3, 3, 1, 1, 2, 2, 2, 2, 2, 2), bias: true, blockSize: 12));
        x = g.Add(new Unary(UnaryFunction.Sigmoid), g.Conv(x, 33, 17, new Window(1, 5, 1, 2, 0, 2, 0, 2), blockSize: 5));
        x = g.Add(new MaxPool(new(2, 3, 1, 2, 1, 0, 0, 1), true), x);
        x = g.Conv(x, 17, 18, Window.Square(3, 3, 1));
        x = g.Add(new AveragePool(Window.Square(3, 2, 1), true, true), x);
        return g.Build(x, 5, 31, 40);
    }

    private static ModelGraph Classic()
    {
        var g = new GraphMaker(7);
        string x = g.Relu(g.Conv("x", 1, 24, Window.Square(11, 4, 2), bias: true));
        x = g.Add(new Lrn(5), x);
        x = g.Add(new MaxPool(Window.Square(3, 2)), x);
        x = g.Relu(g.Conv(x, 24, 30, Window.Square(3, 1, 1), bias: true, blockSize: 9));
        x = g.Add(new Flatten(), x);
        x = g.Relu(g.Linear(x, 30 * 6 * 6, 50, 8, 64));
        return g.Build(g.Add(new MatMul(), x, g.Dense(50, 7)), 1, 56, 56);
    }

    private static ModelGraph NarrowChannels()
    {
        var g = new GraphMaker(8);
        string x = g.Add(new Unary(UnaryFunction.Tanh), g.Conv("x", 3, 6, Window.Square(5), bias: true));
        x = g.Add(new MaxPool(Window.Square(2, 2)), x);
        x = g.Relu(g.Conv(x, 6, 10, Window.Square(3, 1, 1), blockSize: 6));
        x = g.Add(new Binary(BinaryFunction.Sub), x, g.Conv(x, 10, 10, Window.Square(1)));
        x = g.Add(new Flatten(), x);
        return g.Build(g.Linear(x, 10 * 14 * 14, 5), 3, 32, 32);
    }

    private static ModelGraph Wide()
    {
        var g = new GraphMaker(9);
        string x = g.Relu(g.Conv("x", 64, 96, Window.Square(3, 2, 1), blockSize: 9, codewords: 256));
        x = g.Relu(g.Conv(x, 96, 128, Window.Square(3, 1, 1), blockSize: 9, codewords: 256));
        x = g.Relu(g.Conv(x, 128, 64, Window.Square(1), blockSize: 4, codewords: 256));
        x = g.Relu(g.Conv(x, 64, 80, Window.Square(3, 1, 1), blockSize: 18, codewords: 256));
        return g.Build(g.Add(new GlobalAveragePool(), x), 64, 14, 14);
    }
}
