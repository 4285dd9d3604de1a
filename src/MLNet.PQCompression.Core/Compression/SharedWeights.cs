using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Compression;

/// <summary>
/// Brings the nodes that read one weight together: they form one layer, which is quantized from the inputs of all of them at once and before any of them is passed. A node that depends on what
/// another of them makes cannot wait for itself; it stays where it is and reads what the others have led to.
/// </summary>
internal static class SharedWeights
{
    /// <summary>The graph with its nodes in an order in which the readers of a weight follow each other; all else stays in order.</summary>
    public static ModelGraph Together(ModelGraph graph)
    {
        Node[][] shared = [.. graph.Nodes.Where(n => LayerForms.IsLayer(graph, n)).GroupBy(n => n.Inputs[1], StringComparer.Ordinal).Select(g => g.ToArray()).Where(g => g.Length > 1)];
        if (shared.Length == 0)
            return graph;
        var order = new ReadingOrder(graph);
        foreach (Node[] readers in shared)
            foreach (Node reader in readers.Skip(1).Where(r => r.Operator.Equals(readers[0].Operator)))
                order.TryJoin(readers[0], reader);
        return new(graph.Name, graph.Input, graph.Outputs, [.. order.Sorted()], graph.Initializers, graph.Metadata, graph.Origin);
    }

    /// <summary>The nodes in units that are passed at once, and what depends on what.</summary>
    private sealed class ReadingOrder
    {
        private readonly ModelGraph _graph;
        private readonly Dictionary<Node, int> _unitOf = new(ReferenceEqualityComparer.Instance);
        private readonly List<Node>[] _units;

        public ReadingOrder(ModelGraph graph)
        {
            _graph = graph;
            _units = [.. graph.Nodes.Select(n => new List<Node> { n })];
            for (int i = 0; i < _units.Length; i++)
                _unitOf[graph.Nodes[i]] = i;
        }

        /// <summary>Brings a later node into an earlier one's unit unless one of the two would then have to be passed before itself.</summary>
        public void TryJoin(Node first, Node other)
        {
            (int target, int own) = (_unitOf[first], _unitOf[other]);
            if (DependsOn(own, target) || DependsOn(target, own))
                return;
            _units[target].Add(other);
            _units[own].Clear();
            _unitOf[other] = target;
        }

        /// <summary>The nodes unit by unit, of those that may come next always the one that the graph has first.</summary>
        public IEnumerable<Node> Sorted()
        {
            var waiting = new int[_units.Length];
            var readers = new List<int>[_units.Length];
            var ready = new PriorityQueue<int, int>();
            for (int unit = 0; unit < _units.Length; unit++)
            {
                foreach (int source in Sources(unit))
                    (readers[source] ??= []).Add(unit);
                waiting[unit] = Sources(unit).Count();
                if (waiting[unit] == 0 && _units[unit].Count > 0)
                    ready.Enqueue(unit, unit);
            }
            while (ready.TryDequeue(out int unit, out _))
            {
                foreach (Node node in _units[unit])
                    yield return node;
                foreach (int reader in readers[unit] ?? [])
                    if (--waiting[reader] == 0)
                        ready.Enqueue(reader, reader);
            }
        }

        private bool DependsOn(int unit, int other)
        {
            var seen = new HashSet<int>();
            var open = new Stack<int>([unit]);
            while (open.TryPop(out int next))
                foreach (int source in Sources(next))
                {
                    if (source == other)
                        return true;
                    if (seen.Add(source))
                        open.Push(source);
                }
            return false;
        }

        /// <summary>The units whose values a unit reads.</summary>
        private IEnumerable<int> Sources(int unit) =>
            _units[unit].SelectMany(_graph.ReadsOf).Select(_graph.ProducerOf).OfType<Node>().Select(n => _unitOf[n]).Distinct();
    }
}
