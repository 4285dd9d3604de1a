using System.Numerics.Tensors;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Reporting;

/// <summary>Compares two networks' outputs image by image and keeps the sums and the worst images.</summary>
/// <remarks>Several outputs count alike. One whose length differs between images, as a list of detections does, is left out: its rows do not belong together.</remarks>
/// <param name="kind">What the outputs are.</param>
/// <param name="teacherGivesProbabilities">Whether the teacher ends in a softmax.</param>
/// <param name="studentGivesProbabilities">Whether the student does.</param>
/// <param name="worst">How many of the worst images are kept.</param>
internal sealed class OutputComparison(OutputKind kind, bool teacherGivesProbabilities, bool studentGivesProbabilities, int worst = 0)
{
    /// <summary>Classes of each network that are kept for an image.</summary>
    private const int KeptClasses = 3;

    private readonly PriorityQueue<ImageComparison, double> _worst = new();
    private readonly SortedDictionary<string, Sum> _sums = new(StringComparer.Ordinal);
    private double[] _teacher = [], _student = [];

    /// <summary>The images compared so far.</summary>
    public int Images { get; private set; }

    /// <summary>Images on which the highest output is the same, where the outputs are classes.</summary>
    public int Agreement { get; private set; }

    /// <summary>Whether there is an output that could be compared on every image.</summary>
    public bool HasComparable => _sums.Values.Any(s => s.IsComparable);

    /// <summary>The mean difference over the images and those outputs that could be compared on every one.</summary>
    public double MeanDifference => _sums.Values.Where(s => s.IsComparable).Average(s => s.Difference / Images);

    /// <summary>The images that differ most, the worst first; of equal ones the earlier first.</summary>
    public IReadOnlyList<ImageComparison> Worst => [.. _worst.UnorderedItems.Select(i => i.Element).OrderByDescending(i => i.Difference).ThenBy(i => i.Image, StringComparer.Ordinal)];

    /// <summary>Adds an image.</summary>
    /// <param name="name">What the image is called.</param>
    /// <param name="teacher">The teacher's outputs by name.</param>
    /// <param name="student">The student's; of the same names.</param>
    /// <exception cref="InvalidModelException">An output is not a finite number.</exception>
    public void Add(string name, IReadOnlyDictionary<string, ReadOnlyMemory<float>> teacher, IReadOnlyDictionary<string, ReadOnlyMemory<float>> student)
    {
        Images++;
        double difference = 0;
        int compared = 0;
        foreach ((string output, ReadOnlyMemory<float> expected) in teacher)
        {
            ReadOnlyMemory<float> actual = student.GetValueOrDefault(output);
            Sum sum = _sums.TryGetValue(output, out Sum? known) ? known : _sums[output] = new(expected.Length);
            sum.IsComparable &= expected.Length == sum.Length && actual.Length == sum.Length && sum.Length > 0;
            if (!sum.IsComparable)
                continue;
            RequireFinite(name, expected.Span, actual.Span);
            double own = kind == OutputKind.Classes ? Divergence(expected.Span, actual.Span) : 1 - Cosine(expected.Span, actual.Span);
            sum.Difference += own;
            difference += own;
            compared++;
            if (kind == OutputKind.Classes)
                Agreement += TensorPrimitives.IndexOfMax(expected.Span) == TensorPrimitives.IndexOfMax(actual.Span) ? 1 : 0;
        }
        if (compared > 0 && worst > 0)
            Keep(name, difference / compared, teacher, student);
    }

    private void Keep(string name, double difference, IReadOnlyDictionary<string, ReadOnlyMemory<float>> teacher, IReadOnlyDictionary<string, ReadOnlyMemory<float>> student)
    {
        if (_worst.Count == worst && difference <= _worst.Peek().Difference)
            return;
        IReadOnlyList<ClassProbability> Best(IReadOnlyDictionary<string, ReadOnlyMemory<float>> outputs, bool probabilities) =>
            kind == OutputKind.Classes ? ClassProbability.Best(outputs.Values.Single().Span, KeptClasses, probabilities) : [];
        var image = new ImageComparison(name, difference, Best(teacher, teacherGivesProbabilities), Best(student, studentGivesProbabilities));
        if (_worst.Count < worst)
            _worst.Enqueue(image, difference);
        else
            _worst.EnqueueDequeue(image, difference);
    }

    private static void RequireFinite(string name, ReadOnlySpan<float> teacher, ReadOnlySpan<float> student)
    {
        if (!TensorPrimitives.IsFiniteAll(teacher) || !TensorPrimitives.IsFiniteAll(student))
            throw new InvalidModelException($"The outputs of the {(TensorPrimitives.IsFiniteAll(teacher) ? "compressed model" : "model")} for image '{name}' are not all finite numbers.");
    }

    private double Divergence(ReadOnlySpan<float> teacher, ReadOnlySpan<float> student)
    {
        if (_teacher.Length != teacher.Length)
            (_teacher, _student) = (new double[teacher.Length], new double[teacher.Length]);
        ClassProbability.Logarithms(teacher, teacherGivesProbabilities, _teacher);
        ClassProbability.Logarithms(student, studentGivesProbabilities, _student);
        double sum = 0;
        for (int c = 0; c < _teacher.Length; c++)
            sum += Math.Exp(_teacher[c]) * (_teacher[c] - _student[c]);
        return sum;
    }

    /// <summary>The cosine of two vectors; 1 where both are zero and 0 where one is.</summary>
    internal static double Cosine(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double aa = TensorPrimitives.SumOfSquares(a), bb = TensorPrimitives.SumOfSquares(b);
        return aa == 0 && bb == 0 ? 1 : aa == 0 || bb == 0 ? 0 : TensorPrimitives.Dot(a, b) / Math.Sqrt(aa * bb);
    }

    private sealed class Sum(int length)
    {
        public int Length => length;

        public bool IsComparable { get; set; } = true;

        public double Difference { get; set; }
    }
}
