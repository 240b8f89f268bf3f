pub struct Cpu(u64);
fn now()->u64{let s=std::fs::read_to_string("/proc/self/stat").unwrap();let v:Vec<_>=s.rsplit(')').next().unwrap().split_whitespace().collect();(v[11].parse::<u64>().unwrap()+v[12].parse::<u64>().unwrap())*10}
impl Cpu{pub fn now()->Self{Cpu(now())} pub fn elapsed(&self)->u64{now()-self.0}}
